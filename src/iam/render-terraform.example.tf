# Written by "podpass iam setup".
# A role that exists already has to be imported first ("terraform import"), or it cannot be created.
# Needs a provider "aws" with alias = "account_210987654321" for that account.

variable "external_id" {
  description = "What podpass sends as external id: the pods' annotation iam.amazonaws.com/external-id."
  type        = string
  sensitive   = true
}

resource "aws_iam_policy" "node_1" {
  name_prefix = "podpass-server-assume-"
  policy = jsonencode({
    "Version" : "2012-10-17",
    "Statement" : [
      {
        "Effect" : "Allow",
        "Action" : "sts:AssumeRole",
        "Resource" : [
          aws_iam_role.server.arn,
        ],
      },
    ],
  })
}

resource "aws_iam_role_policy_attachment" "node_1" {
  role       = "server-node"
  policy_arn = aws_iam_policy.node_1.arn
}

resource "aws_iam_role" "server" {
  name = "podpass-server"
  path = "/infra/"
  assume_role_policy = jsonencode({
    "Version" : "2012-10-17",
    "Statement" : [
      {
        "Effect" : "Allow",
        "Principal" : {
          "AWS" : [
            "arn:aws:iam::123456789012:role/server-node",
          ],
        },
        "Action" : "sts:AssumeRole",
      },
    ],
  })
}

resource "aws_iam_policy" "server" {
  name_prefix = "podpass-server-pods-"
  policy = jsonencode({
    "Version" : "2012-10-17",
    "Statement" : [
      {
        "Effect" : "Allow",
        "Action" : "sts:AssumeRole",
        "Resource" : [
          "arn:aws:iam::123456789012:role/pods/*",
          "arn:aws:iam::210987654321:role/writer",
        ],
      },
    ],
  })
}

resource "aws_iam_role_policy_attachment" "server" {
  role       = aws_iam_role.server.name
  policy_arn = aws_iam_policy.server.arn
}

resource "aws_iam_role" "application_1" {
  name = "reader"
  path = "/pods/"
  assume_role_policy = jsonencode({
    "Version" : "2012-10-17",
    "Statement" : [
      {
        "Effect" : "Allow",
        "Principal" : {
          "AWS" : [
            aws_iam_role.server.arn,
          ],
        },
        "Action" : "sts:AssumeRole",
        "Condition" : {
          "StringEquals" : {
            "sts:ExternalId" : var.external_id,
          },
        },
      },
    ],
  })
}

resource "aws_iam_role" "application_2" {
  provider = aws.account_210987654321

  name = "writer"
  path = "/"
  assume_role_policy = jsonencode({
    "Version" : "2012-10-17",
    "Statement" : [
      {
        "Effect" : "Allow",
        "Principal" : {
          "AWS" : [
            aws_iam_role.server.arn,
          ],
        },
        "Action" : "sts:AssumeRole",
        "Condition" : {
          "StringEquals" : {
            "sts:ExternalId" : var.external_id,
          },
        },
      },
    ],
  })
}
