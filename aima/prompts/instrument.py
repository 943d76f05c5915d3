"""The tree of a template, rewritten so that what it does passes by a meter."""

from __future__ import annotations

from jinja2 import nodes
from jinja2.visitor import NodeTransformer


class Instrument(NodeTransformer):
    """Leads loops, new values and written texts through filters that measure them.

    Their names begin with a blank, so that no template can say them.
    """

    def visit(self, node: nodes.Node, *args: object, **kwargs: object) -> nodes.Node:
        """Rewrite a node, what is inside it first."""
        self.generic_visit(node, *args, **kwargs)
        match node:
            case nodes.For():
                node.iter = _through(" rounds", node.iter)
            case nodes.Output():
                node.nodes = [_through(" written", part) for part in node.nodes]
            case nodes.TemplateData():
                return nodes.Const(node.data, lineno=node.lineno)
            case nodes.Concat():
                return _through(" joined", nodes.List(node.nodes, lineno=node.lineno))
            case nodes.Compare():
                node.expr = _through(" seen", node.expr)
            case nodes.List() | nodes.Dict() | nodes.Tuple(ctx="load"):
                return _through(" made", node)
            case nodes.Getitem(arg=nodes.Slice()):
                return _through(" made", node)
        return node


def _through(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
