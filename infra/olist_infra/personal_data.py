"""Personal data: one tag with a mask, on every personal column; and people who objected.

The tag's value is the PII class. Snowflake carries it on to what is made from a tagged column, so
tables that dbt makes are masked as they come to be; where classes meet, the strictest wins.
Why: platform/docs/decisions/masking-by-tag.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_snowflake as snowflake

from olist_platform.source_catalog import STRICTEST_FIRST, Column, Dataset, PiiClass

TAG = "PII"
# The key by which people are looked up. A column cannot have a mask and a row access policy, and
# the person's own identifier is masked.
_OBJECTION_KEY = "customer_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDataArgs:
    """What is personal, where, and who sees it.

    Attributes:
        database: The database.
        schema: The governance schema.
        datasets: The datasets; their columns tell their PII class.
        tables: Raw table of each, by the dataset's name.
        unmasked_role: Name of the one role that sees what is masked.
        protect: Whether Pulumi refuses to delete the table of objections.
    """

    database: pulumi.Input[str]
    schema: pulumi.Input[str]
    datasets: Sequence[Dataset]
    tables: Mapping[str, snowflake.Table]
    unmasked_role: pulumi.Input[str]
    protect: bool


class PersonalData(pulumi.ComponentResource):
    """The mask, the tag that carries it, its columns, and the rows of people who objected.

    Attributes:
        tag: Output: qualified name of the tag.
    """

    def __init__(
        self, name: str, args: PersonalDataArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("olist:snowflake:PersonalData", name, None, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        # Every personal column is text, in raw and in what is made of it; a tag takes one policy
        # for each data type.
        mask = snowflake.MaskingPolicy(
            "mask-text",
            name="MASK_TEXT",
            database=args.database,
            schema=args.schema,
            arguments=[snowflake.MaskingPolicyArgumentArgs(name="VALUE", type="VARCHAR")],
            return_data_type="VARCHAR",
            body=pulumi.Output.format(_MASK, args.unmasked_role, args.database, args.schema, TAG),
            comment="What a personal column shows to whom",
            opts=self._child,
        )
        self.tag = snowflake.Tag(
            "pii",
            name=TAG,
            database=args.database,
            schema=args.schema,
            ordered_allowed_values=[pii.value for pii in STRICTEST_FIRST],
            masking_policies=[mask.fully_qualified_name],
            propagate="ON_DEPENDENCY_AND_DATA_MOVEMENT",
            on_conflict=snowflake.TagOnConflictArgs(allowed_values_sequence=True),
            comment="What a column tells about a natural person",
            opts=self._child,
        ).fully_qualified_name
        for dataset in args.datasets:
            for column in dataset.columns:
                if column.pii is not PiiClass.NONE:
                    self._tag_column(dataset, column)
        self._respect_objections()
        self.register_outputs({"tag": self.tag})

    def _tag_column(self, dataset: Dataset, column: Column) -> None:
        """Tag one column; with others of its class, it would lose the tag with that class."""
        table = self._args.tables[dataset.name].fully_qualified_name
        snowflake.TagAssociation(
            f"pii-{dataset.name}-{column.name}",
            tag_id=self.tag,
            tag_value=column.pii.value,
            object_type="COLUMN",
            object_identifiers=[pulumi.Output.concat(table, f'."{column.name.upper()}"')],
            opts=self._child,
        )

    def _respect_objections(self) -> None:
        """Hide from people the raw rows of customers who objected; what is built counts them."""
        args = self._args
        objections = snowflake.Table(
            "objections",
            name="OBJECTIONS",
            database=args.database,
            schema=args.schema,
            columns=[
                snowflake.TableColumnArgs(name=_OBJECTION_KEY.upper(), type="VARCHAR"),
                snowflake.TableColumnArgs(name="OBJECTED_AT", type="TIMESTAMP_NTZ(9)"),
            ],
            comment="Customer keys of people who objected to the use of their data",
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        policy = snowflake.RowAccessPolicy(
            "objections",
            name="WITHOUT_OBJECTION",
            database=args.database,
            schema=args.schema,
            arguments=[snowflake.RowAccessPolicyArgumentArgs(name="CUSTOMER_KEY", type="VARCHAR")],
            body=pulumi.Output.format(
                _WITHOUT_OBJECTION, args.unmasked_role, objections.fully_qualified_name
            ),
            comment="Rows of customers who did not object",
            opts=self._child,
        ).fully_qualified_name
        for dataset in args.datasets:
            if _OBJECTION_KEY not in dataset.header:
                continue
            table = args.tables[dataset.name].fully_qualified_name
            # No stable resource puts a row access policy on a table.
            snowflake.Execute(
                f"objections-{dataset.name}",
                execute=pulumi.Output.format(
                    'ALTER TABLE {0} ADD ROW ACCESS POLICY {1} ON ("{2}")',
                    table,
                    policy,
                    _OBJECTION_KEY.upper(),
                ),
                revert=pulumi.Output.format(
                    "ALTER TABLE {0} DROP ROW ACCESS POLICY {1}", table, policy
                ),
                opts=self._child,
            )


# An identifier stays one, so that people can still be counted and joined; the rest is gone.
_MASK = """CASE
  WHEN VALUE IS NULL THEN NULL
  WHEN IS_ROLE_IN_SESSION('{0}') THEN VALUE
  WHEN SYSTEM$GET_TAG_ON_CURRENT_COLUMN('{1}.{2}.{3}') = 'person_identifier' THEN SHA2(VALUE, 256)
  ELSE '***'
END"""

_WITHOUT_OBJECTION = """IS_ROLE_IN_SESSION('{0}')
OR NOT EXISTS (
  SELECT 1 FROM {1} AS OBJECTION WHERE OBJECTION.CUSTOMER_ID = CUSTOMER_KEY
)"""
