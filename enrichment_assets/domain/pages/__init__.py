"""Web pages: bytes of HTML or Markdown to readable text, links and addresses, or why there is no content. Pure."""
