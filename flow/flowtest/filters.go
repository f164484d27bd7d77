package flowtest

var filterRules = []rule{
	{"flows are found by each field of the filter", func(p *probe) { p.flowCatalogue().Each(flowCriteria) }},
	{"flows are found by fields of the filter together", func(p *probe) { p.flowCatalogue().InCompany(flowCriteria) }},
	{"notifications are found by each field of the filter", func(p *probe) {
		p.notificationCatalogue().Each(notificationCriteria)
	}},
	{"notifications are found by fields of the filter together", func(p *probe) {
		p.notificationCatalogue().InCompany(notificationCriteria)
	}},
}
