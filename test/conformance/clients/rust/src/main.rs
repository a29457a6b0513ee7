//! The AWS SDK for Rust as a client of the conformance table: answers each line of input with who it is.

use std::io::BufRead;

use aws_config::BehaviorVersion;
use aws_sdk_sts::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_smithy_http_client::Builder;

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

async fn call(client: &aws_sdk_sts::Client) -> String {
    match client.get_caller_identity().send().await {
        Ok(identity) => format!("{{\"arn\":{}}}", quoted(identity.arn().unwrap_or_default())),
        Err(error) => {
            let code = error.code().unwrap_or("NoAnswer").to_owned();
            let message = DisplayErrorContext(error).to_string();
            format!("{{\"code\":{},\"message\":{}}}", quoted(&code), quoted(&message))
        }
    }
}

async fn new_client() -> aws_sdk_sts::Client {
    // Without TLS the SDK brings no HTTP client of its own; this is the one it is made with.
    let http_client = Builder::new().build_http();
    let config = aws_config::defaults(BehaviorVersion::latest()).http_client(http_client).load().await;
    aws_sdk_sts::Client::new(&config)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    println!("{{\"sdk\":\"aws-sdk-sts {}\"}}", aws_sdk_sts::meta::PKG_VERSION);
    let mut client = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        if line == "new" {
            client = None;
        }
        let client = client.get_or_insert_with(|| runtime.block_on(new_client()));
        println!("{}", runtime.block_on(call(client)));
    }
}
