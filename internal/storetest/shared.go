package storetest

// Shared is the rules that every store keeps, in the words of one suite. T is the probe of the
// suite.
type Shared[T any, P, C Placed] struct {
	Parent, Child Name                 // as they stand in the rules
	Save          string               // the method that stores both; "" if each kind has its own
	Of            func(T) *Suite[P, C] // in the suite's own probe
}

// Saves returns the methods that store a parent with its children, and children: save, or each
// kind's own.
func Saves(save string, parent, child Name) (saveParent, saveChildren string) {
	if save != "" {
		return save, save
	}
	return "Save" + parent.Get(), "Save" + child.List()
}

// Rules returns the rules. Texts are what the fields that mask themselves and the others are set
// to, in pairs.
func (r Shared[T, P, C]) Rules(texts [][2]string) []Rule[T] {
	type suite = *Suite[P, C]
	parent, child := r.Parent.An(), r.Child.An()
	children := r.Child.Many()
	save, saveChildren := Saves(r.Save, r.Parent, r.Child)
	return Map([]Rule[suite]{
		// kept.go
		{parent + " is read as it was stored", suite.parentsAreKept},
		{parent + " that is not there is not found", suite.missingParentsAreNotFound},
		{child + " is read as it was stored", suite.childrenAreKept},
		{child + " that is not there is not found", suite.missingChildrenAreNotFound},
		// keptvalues.go
		{"texts are kept to the last character", func(s suite) { s.textsAreKept(texts) }},
		{"times are kept to the microsecond, and given in UTC", suite.timesAreKept},
		{"a time that is zero stays zero", suite.zeroTimesAreKept},
		{"a field that changes alone is kept", suite.fieldsThatChangeAloneAreKept},
		{"amounts are kept to the cent, however large", suite.amountsAreKept},
		// counts.go
		{"the counts of " + parent + " are not written", suite.countsAreNotWritten},
		{"the version of " + parent + " does not change with its " + children, suite.childrenLeaveTheParent},
		// versions.go
		{"each write gives the next version", suite.versionsCount},
		{"what is new must not be there", suite.newIsNew},
		{"what is not new must be there", suite.oldIsThere},
		{"what was changed in the meantime is not stored", suite.lateChangesAreRefused},
		{"one entity twice in a write is a conflict", suite.twiceIsAConflict},
		// history.go
		{"every version has its record", suite.versionsHaveRecords},
		{"what is not there has no history", suite.missingHasNoHistory},
		// atomicity.go
		{children + " are stored together or not at all", suite.childrenGoTogether},
		{"a conflict in the " + children + " of " + save + " undoes everything", suite.conflictsUndoEverything},
		{"an error in the " + children + " of " + save + " undoes everything, and is returned", suite.errorsUndoEverything},
		{save + " of " + parent + " that is in conflict pulls no " + children, suite.conflictsPullNothing},
		{save + " pulls its " + children + " once, to their end", suite.sequencesArePulledOnce},
		{save + " stores thousands of " + children + " whole", suite.longSequencesAreStored},
		{saveChildren + " stores a thousand " + children + " whole", suite.longWritesAreStored},
		{"to store nothing is no error", suite.nothingIsStored},
		// lists.go
		{"lists are sorted by time of creation and then ID", each[P, C](listsAreSorted)},
		{"a page is as long as it may be, and no longer", each[P, C](pagesKeepTheLimit)},
		{"a page may be one longer than the longest that services give", suite.longPagesAreWhole},
		{"page after page gives everything once", each[P, C](pagesGiveAllOnce)},
		{"page after page gives everything once while the list changes", each[P, C](pagesGiveAllOnceMeanwhile)},
		{"a page begins behind a place, whether something is there or not", each[P, C](pagesBeginAnywhere)},
		// contexts.go
		{"a context that has ended is refused, and nothing changes", suite.endedContextsAreRefused},
		{"a context that ends while " + save + " pulls its " + children + " undoes everything", suite.contextsEndTheSequence},
		// concurrency.go
		{"of those who change one version, one succeeds", suite.changesHaveOneWinner},
		{"of those who create one entity, one succeeds", suite.creationsHaveOneWinner},
		{"changes that do not meet all succeed, and are counted", suite.othersDoNotMatter},
	}, r.rule)
}

// Empty is the rule that finds out whether each rule got a store of its own. It has to be the
// last.
func (r Shared[T, P, C]) Empty() Rule[T] {
	return r.rule(Rule[*Suite[P, C]]{NewIsEmpty, (*Suite[P, C]).newStoresAreEmpty})
}

// rule makes a shared rule one of the suite.
func (r Shared[T, P, C]) rule(shared Rule[*Suite[P, C]]) Rule[T] {
	return Rule[T]{shared.Words, func(probe T) { shared.Test(r.Of(probe)) }}
}

// NewIsEmpty is the words of [Shared.Empty]. No single store can break it.
const NewIsEmpty = "a new store is empty"
