"""Questions to what is there: queries, explanations, reports, exports, corrections."""
