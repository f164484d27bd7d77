package brokenstore

// The rules that breakers break, as far as their words are the same in every suite.
const (
	textsRule    = "texts are kept to the last character"
	timesRule    = "times are kept to the microsecond, and given in UTC"
	zeroRule     = "a time that is zero stays zero"
	amountsRule  = "amounts are kept to the cent, however large"
	aloneRule    = "a field that changes alone is kept"
	newRule      = "what is new must not be there"
	oldRule      = "what is not new must be there"
	lateRule     = "what was changed in the meantime is not stored"
	twiceRule    = "one entity twice in a write is a conflict"
	versionRule  = "each write gives the next version"
	recordsRule  = "every version has its record"
	missingRule  = "what is not there has no history"
	nothingRule  = "to store nothing is no error"
	sortedRule   = "lists are sorted by time of creation and then ID"
	limitRule    = "a page is as long as it may be, and no longer"
	longPageRule = "a page may be one longer than the longest that services give"
	onceRule     = "page after page gives everything once"
	changingRule = "page after page gives everything once while the list changes"
	anywhereRule = "a page begins behind a place, whether something is there or not"
	endedRule    = "a context that has ended is refused, and nothing changes"
	winnerRule   = "of those who change one version, one succeeds"
	creatorRule  = "of those who create one entity, one succeeds"
	othersRule   = "changes that do not meet all succeed, and are counted"
)
