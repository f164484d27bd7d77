package pagoinretetest

var filterRules = []rule{
	{"events are found by each field of the filter", func(p *probe) { p.eventCatalogue().Each(p.Probe, eventCriteria) }},
	{"events are found by fields of the filter together", func(p *probe) { p.eventCatalogue().InCompany(p.Probe, eventCriteria) }},
	{"notices are found by each field of the filter", func(p *probe) { p.noticeCatalogue().Each(p.Probe, noticeCriteria) }},
	{"notices are found by fields of the filter together", func(p *probe) { p.noticeCatalogue().InCompany(p.Probe, noticeCriteria) }},
}
