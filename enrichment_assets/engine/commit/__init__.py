"""Many items' writes in one transaction."""
