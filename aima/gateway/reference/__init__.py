"""The reference: pages and schemas that are derived from the code itself."""
