"""The page at the door's address: one module for each page, templates in ``templates/page``.

Whatever is shown of a run, a model or a workflow's file was written by somebody else. Templates
escape it, the script only ever sets text, and the policy of each answer lets nothing run that is
not the page's own.
"""
