"""From a file as it came to rows that are read again whenever asked."""
