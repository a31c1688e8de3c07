"""Whose the credits are: tags on database and warehouses, for ACCOUNT_USAGE's cost views."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake


@dataclass(frozen=True, slots=True, kw_only=True)
class CostTagsArgs:
    """What is tagged with what.

    Attributes:
        database: The database.
        schema: The governance schema.
        warehouses: The warehouses.
        values: Value of each tag, by the tag's name.
    """

    database: pulumi.Input[str]
    schema: pulumi.Input[str]
    warehouses: Sequence[pulumi.Input[str]]
    values: Mapping[str, str]


class CostTags(pulumi.ComponentResource):
    """The same tags as AWS's, on what Snowflake bills."""

    def __init__(
        self, name: str, args: CostTagsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:snowflake:CostTags", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        tagged = {"DATABASE": [args.database], "WAREHOUSE": list(args.warehouses)}
        for key, value in args.values.items():
            tag = snowflake.Tag(
                key,
                name=key.upper().replace("-", "_"),
                database=args.database,
                schema=args.schema,
                comment="As in AWS's cost reports",
                opts=child,
            ).fully_qualified_name
            for object_type, identifiers in tagged.items():
                snowflake.TagAssociation(
                    f"{key}-{object_type.lower()}",
                    tag_id=tag,
                    tag_value=value,
                    object_type=object_type,
                    object_identifiers=[
                        pulumi.Output.format('"{0}"', identifier) for identifier in identifiers
                    ],
                    opts=child,
                )
        self.register_outputs({"tags": list(args.values)})
