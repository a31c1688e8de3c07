"""Power BI as code: a semantic model and three reports, made from the dashboards' descriptions."""
