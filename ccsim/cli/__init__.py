"""The command line: thin verbs over `ccsim.study`; the only room that knows click and rich."""
