package flowtest

var filterRules = []rule{
	{"flows are found by each field of the filter", func(p *probe) { p.flowCatalogue().Each(p.Probe, flowCriteria) }},
	{"flows are found by fields of the filter together", func(p *probe) { p.flowCatalogue().InCompany(p.Probe, flowCriteria) }},
	{"notifications are found by each field of the filter", func(p *probe) {
		p.notificationCatalogue().Each(p.Probe, notificationCriteria)
	}},
	{"notifications are found by fields of the filter together", func(p *probe) {
		p.notificationCatalogue().InCompany(p.Probe, notificationCriteria)
	}},
}
