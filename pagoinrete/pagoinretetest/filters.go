package pagoinretetest

var filterRules = []rule{
	{"events are found by each field of the filter", func(p *probe) { p.eventCatalogue().Each(eventCriteria) }},
	{"events are found by fields of the filter together", func(p *probe) { p.eventCatalogue().InCompany(eventCriteria) }},
	{"notices are found by each field of the filter", func(p *probe) { p.noticeCatalogue().Each(noticeCriteria) }},
	{"notices are found by fields of the filter together", func(p *probe) { p.noticeCatalogue().InCompany(noticeCriteria) }},
}
