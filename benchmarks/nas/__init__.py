"""Architecture search on tables: what is asked, and who searches."""
