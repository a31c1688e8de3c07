"""Where the clouds' own alerts go: an encrypted topic, e-mail, and Slack where it is set."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from olist_infra.policy_documents import policy_document
from olist_platform.cloud_settings import SlackTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTopicArgs:
    """Who is told.

    Attributes:
        name: Name of the topic.
        chatbot_role: Name of the role that AWS Chatbot posts with.
        account_id: AWS account.
        kms_key_arn: The key its messages are encrypted with.
        emails: Who gets a mail; each has to confirm once.
        slack: Channel of Slack, or None.
        boundary_arn: What the Chatbot's role can do at most.
    """

    name: str
    chatbot_role: str
    account_id: str
    kms_key_arn: pulumi.Input[str]
    emails: Sequence[str]
    slack: SlackTarget | None
    boundary_arn: pulumi.Input[str]


class AlertTopic(pulumi.ComponentResource):
    """A topic and its subscribers.

    Attributes:
        arn: Output.
    """

    def __init__(
        self, name: str, args: AlertTopicArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:aws:AlertTopic", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(name, name=args.name, kms_master_key_id=args.kms_key_arn, opts=child)
        policy = aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=policy_document(
                [
                    {
                        "Sid": "BudgetsPublish",
                        "Effect": "Allow",
                        "Principal": {"Service": "budgets.amazonaws.com"},
                        "Action": "sns:Publish",
                        "Resource": topic.arn,
                        "Condition": {"StringEquals": {"aws:SourceAccount": args.account_id}},
                    }
                ]
            ),
            opts=child,
        )
        for email in args.emails:
            # Named after its address: SNS has one subscription for it, and a number that passes
            # from one address to the next would end the one it has come to.
            aws.sns.TopicSubscription(
                f"{name}-{email}",
                topic=topic.arn,
                protocol="email",
                endpoint=email,
                opts=child,
            )
        if args.slack is not None:
            self._post_to_slack(name, args, args.slack, topic)
        self.arn = topic.arn
        self.ready = policy
        self.register_outputs({"arn": self.arn})

    def _post_to_slack(
        self, name: str, args: AlertTopicArgs, slack: SlackTarget, topic: aws.sns.Topic
    ) -> None:
        # It has no policy: posting needs none, and nobody may run commands from Slack.
        role = aws.iam.Role(
            f"{name}-chatbot",
            name=args.chatbot_role,
            description="AWS Chatbot posts alerts to Slack",
            permissions_boundary=args.boundary_arn,
            assume_role_policy=policy_document(
                [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "chatbot.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ]
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        aws.chatbot.SlackChannelConfiguration(
            name,
            configuration_name=args.name,
            iam_role_arn=role.arn,
            slack_team_id=slack.workspace_id,
            slack_channel_id=slack.channel_id,
            sns_topic_arns=[topic.arn],
            logging_level="ERROR",
            guardrail_policy_arns=["arn:aws:iam::aws:policy/ReadOnlyAccess"],
            opts=pulumi.ResourceOptions(parent=self),
        )
