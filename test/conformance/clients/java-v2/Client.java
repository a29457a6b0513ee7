import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.sts.StsClient;

/** The AWS SDK for Java v2 as a client of the conformance table: answers each line of input with who it is. */
public final class Client {
  public static void main(String[] args) throws Exception {
    System.out.println("{\"sdk\":\"aws-sdk-java-v2 " + VersionInfo.SDK_VERSION + "\"}");
    var input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    StsClient sts = null;
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      try {
        if (sts == null || line.equals("new")) sts = StsClient.create();
        System.out.println("{\"arn\":" + quoted(sts.getCallerIdentity().arn()) + "}");
      } catch (AwsServiceException refusal) {
        fail(refusal.awsErrorDetails().errorCode(), refusal);
      } catch (RuntimeException noAnswer) {
        fail(noAnswer.getClass().getSimpleName(), noAnswer);
      }
    }
  }

  private static void fail(String code, Exception error) {
    var text = String.valueOf(error.getMessage());
    System.out.println("{\"code\":" + quoted(code) + ",\"message\":" + quoted(text) + "}");
  }

  private static String quoted(String text) {
    var out = new StringBuilder("\"");
    text.chars().forEach(c -> {
      if (c == '"' || c == '\\') out.append('\\').append((char) c);
      else if (c < 0x20) out.append(String.format("\\u%04x", c));
      else out.append((char) c);
    });
    return out.append('"').toString();
  }
}
