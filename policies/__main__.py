"""Serve the policy pack; the constructor answers the engine until it is stopped."""

from pulumi_policy import PolicyPack

from olist_policies.pack import PACK_NAME, POLICIES

PolicyPack(PACK_NAME, POLICIES)
