"""What each page does: read what was asked for, call services, name a template. A module for each noun."""
