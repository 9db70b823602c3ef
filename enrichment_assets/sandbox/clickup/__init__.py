"""The state of one simulated ClickUp workspace, and what people and programs do in it.

`layout` is what a fresh workspace has, `workspace` what is in it now; `values` what a custom field takes and shows;
`changes` the only writer; `search` and `shapes` read; `webhooks` tells; `acting` is what a person does by hand.
The HTTP contract over it is `sandbox.providers.clickup`.
"""
