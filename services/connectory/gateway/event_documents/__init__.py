"""How clients ask for documents of the event log: KQL and Elasticsearch's queries become conditions, dates moments."""
