package flowtest_test

import (
	"strings"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/flow"
	"github.com/flussi-go/flussi/internal/brokenstore"
)

// The rules that the breakers below break.
const (
	lookRule      = "the first use of a service whose name looks like another one's is refused"
	otherNameRule = "a service may be used again, and others whose names do not look like it"
	noNameRule    = "a write that is not stored does not keep its service"
	oneNameRule   = "of names that look alike and are first used at once, one is stored"
)

var serviceBreakers = []breaker{
	{"names of flows are not looked at", lookRule,
		broken(func(m *model) { m.checksNoFlow = true })},
	{"names of notifications are not looked at", lookRule,
		broken(func(m *model) { m.checksNoNotification = true })},
	{"names of imports are not looked at", lookRule,
		broken(func(m *model) { m.checksNoImport = true })},
	{"two names of one write are not compared", lookRule,
		broken(func(m *model) { m.noPairs = true })},
	{"names are compared to the letter", lookRule,
		broken(func(m *model) { m.look = func(name string) string { return name } })},
	{"names are compared without their case only", lookRule,
		broken(func(m *model) { m.look = brokenstore.EnglishLower })},
	{"a name that looks like another is a conflict", lookRule, broken(func(m *model) {
		m.similar = func(string, string) error { return flussi.ErrConflict }
	})},
	{"the error names the new name twice", lookRule, broken(func(m *model) {
		m.similar = func(name, _ string) error { return &flow.SimilarServiceError{Service: name, Existing: name} }
	})},
	{"a flow is stored although a name is refused", lookRule,
		broken(func(m *model) { m.storesFlowFirst = true })},
	{"names are the same but for their accents", otherNameRule, broken(func(m *model) {
		m.look = func(name string) string { return strings.ReplaceAll(flow.ServiceSkeleton(name), "à", "a") }
	})},
	{"names that begin alike are the same", otherNameRule, broken(func(m *model) {
		m.look = func(name string) string { return flow.ServiceSkeleton(name)[:min(12, len(name))] }
	})},
	{"a name is there once it was refused", noNameRule,
		broken(func(m *model) { m.namesAnyway = true })},
	{"names are looked at first, and stored later", oneNameRule,
		broken(func(m *model) { m.unlocked = true })},
}
