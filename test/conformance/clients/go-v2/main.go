// The AWS SDK for Go v2 as a client of the conformance table: answers each line of input with who it is.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

type answer struct {
	SDK     string `json:"sdk,omitempty"`
	Arn     string `json:"arn,omitempty"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

func newClient(ctx context.Context) (*sts.Client, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	return sts.NewFromConfig(loaded), nil
}

func call(ctx context.Context, client *sts.Client) answer {
	identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err == nil {
		return answer{Arn: aws.ToString(identity.Arn)}
	}
	code := "NoAnswer"
	if refusal := smithy.APIError(nil); errors.As(err, &refusal) {
		code = refusal.ErrorCode()
	}
	return answer{Code: code, Message: err.Error()}
}

func main() {
	ctx := context.Background()
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(answer{SDK: "aws-sdk-go-v2 " + aws.SDKVersion})
	var client *sts.Client
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if client == nil || lines.Text() == "new" {
			var err error
			if client, err = newClient(ctx); err != nil {
				_ = out.Encode(answer{Code: "NoClient", Message: err.Error()})
				continue
			}
		}
		_ = out.Encode(call(ctx, client))
	}
}
