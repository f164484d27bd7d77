package brokenstore

// The rules that breakers break, as far as their words are the same in every suite.
const (
	newRule      = "what is new must not be there"
	oldRule      = "what is not new must be there"
	lateRule     = "what was changed in the meantime is not stored"
	twiceRule    = "one entity twice in a change is a conflict"
	versionRule  = "each change gives the next version"
	recordsRule  = "every version has its record"
	missingRule  = "what is not there has no history"
	conflictRule = "a conflict in the sequence undoes everything"
	failureRule  = "an error in the sequence undoes everything, and is returned"
	pulledRule   = "the sequence is pulled once, to its end"
	longRule     = "a long sequence is stored whole"
	nothingRule  = "to store nothing is no error"
	sortedRule   = "lists are sorted by time of creation and then ID"
	limitRule    = "a page is as long as it may be, and no longer"
	onceRule     = "page after page gives everything once"
	changingRule = "page after page gives everything once while the list changes"
	anywhereRule = "a page begins behind a place, whether something is there or not"
	endedRule    = "a context that has ended is refused, and nothing changes"
	endingRule   = "a context that ends in the sequence undoes everything"
	winnerRule   = "of those who change one version, one succeeds"
	creatorRule  = "of those who create one entity, one succeeds"
	othersRule   = "changes that do not meet all succeed, and are counted"
)
