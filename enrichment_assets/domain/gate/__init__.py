"""The send gate: rules that stand before anybody is contacted, and what each finds against a lead. Pure."""
