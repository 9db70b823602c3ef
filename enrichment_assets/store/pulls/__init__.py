"""Pulls in HQ, and the tables of the workspace that their answers are read into."""
