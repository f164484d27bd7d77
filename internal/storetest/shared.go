package storetest

import "slices"

// Shared is the rules that every store keeps, in the words of one suite, by the part of the
// contract that they check. T is the probe of the suite. A suite gives the rules of its own that
// are listed among them.
type Shared[T any, P, C Placed] struct {
	Parent, Child Name                 // as they stand in the rules
	Of            func(T) *Suite[P, C] // in the suite's own probe
}

// rule makes a shared rule one of the suite.
func (r Shared[T, P, C]) rule(words string, test func(*Suite[P, C])) Rule[T] {
	return Rule[T]{words, func(probe T) { test(r.Of(probe)) }}
}

// Kept is the rules of each kind: what was stored is read, and what was not is not found.
func (r Shared[T, P, C]) Kept(ownOfParents, ownOfChildren []Rule[T]) []Rule[T] {
	type suite = *Suite[P, C]
	return slices.Concat(
		[]Rule[T]{r.rule(r.Parent.An()+" is read as it was stored", suite.parentsAreKept)},
		ownOfParents,
		[]Rule[T]{
			r.rule(r.Parent.An()+" that is not there is not found", suite.missingParentsAreNotFound),
			r.rule(r.Child.An()+" is read as it was stored", suite.childrenAreKept),
		},
		ownOfChildren,
		[]Rule[T]{r.rule(r.Child.An()+" that is not there is not found", suite.missingChildrenAreNotFound)},
	)
}

// Values is the rules of fields that come back as they were. Texts are what the fields that mask
// themselves and the others are set to, in pairs.
func (r Shared[T, P, C]) Values(texts [][2]string, own ...Rule[T]) []Rule[T] {
	type suite = *Suite[P, C]
	return slices.Concat(
		[]Rule[T]{r.rule("texts are kept to the last character", func(s suite) { s.textsAreKept(texts) })},
		own,
		[]Rule[T]{
			r.rule("times are kept to the microsecond, and given in UTC", suite.timesAreKept),
			r.rule("a time that is zero stays zero", suite.zeroTimesAreKept),
		},
	)
}

// Counts is the rules of the counts of parents, but for which child is counted as what.
func (r Shared[T, P, C]) Counts() []Rule[T] {
	type suite = *Suite[P, C]
	return []Rule[T]{
		r.rule("the counts of "+r.Parent.An()+" are not written", suite.countsAreNotWritten),
		r.rule("the version of "+r.Parent.An()+" does not change with its "+r.Child.Many(),
			suite.childrenLeaveTheParent),
	}
}

// Versions is the rules of conflicts.
func (r Shared[T, P, C]) Versions() []Rule[T] {
	type suite = *Suite[P, C]
	return []Rule[T]{
		r.rule("each change gives the next version", suite.versionsCount),
		r.rule("what is new must not be there", suite.newIsNew),
		r.rule("what is not new must be there", suite.oldIsThere),
		r.rule("what was changed in the meantime is not stored", suite.lateChangesAreRefused),
		r.rule("one entity twice in a change is a conflict", suite.twiceIsAConflict),
	}
}

// History is the rules of records.
func (r Shared[T, P, C]) History(own ...Rule[T]) []Rule[T] {
	type suite = *Suite[P, C]
	return slices.Concat(
		[]Rule[T]{r.rule("every version has its record", suite.versionsHaveRecords)},
		own,
		[]Rule[T]{r.rule("what is not there has no history", suite.missingHasNoHistory)},
	)
}

// Atomicity is the rules of writes that are all or nothing.
func (r Shared[T, P, C]) Atomicity() []Rule[T] {
	type suite = *Suite[P, C]
	return []Rule[T]{
		r.rule(r.Child.Many()+" are stored together or not at all", suite.childrenGoTogether),
		r.rule("a conflict in the sequence undoes everything", suite.conflictsUndoEverything),
		r.rule("an error in the sequence undoes everything, and is returned", suite.errorsUndoEverything),
		r.rule("the sequence of "+r.Parent.An()+" that is in conflict is not pulled", suite.conflictsPullNothing),
		r.rule("the sequence is pulled once, to its end", suite.sequencesArePulledOnce),
		r.rule("a long sequence is stored whole", suite.longSequencesAreStored),
		r.rule("to store nothing is no error", suite.nothingIsStored),
	}
}

// Lists is the rules of pages.
func (r Shared[T, P, C]) Lists() []Rule[T] {
	return []Rule[T]{
		r.rule("lists are sorted by time of creation and then ID", each[P, C](listsAreSorted)),
		r.rule("a page is as long as it may be, and no longer", each[P, C](pagesKeepTheLimit)),
		r.rule("page after page gives everything once", each[P, C](pagesGiveAllOnce)),
		r.rule("page after page gives everything once while the list changes", each[P, C](pagesGiveAllOnceMeanwhile)),
		r.rule("a page begins behind a place, whether something is there or not", each[P, C](pagesBeginAnywhere)),
	}
}

// Contexts is the rules of contexts that end.
func (r Shared[T, P, C]) Contexts() []Rule[T] {
	type suite = *Suite[P, C]
	return []Rule[T]{
		r.rule("a context that has ended is refused, and nothing changes", suite.endedContextsAreRefused),
		r.rule("a context that ends in the sequence undoes everything", suite.contextsEndTheSequence),
	}
}

// Winners is the rules of those who write the same thing at once.
func (r Shared[T, P, C]) Winners() []Rule[T] {
	type suite = *Suite[P, C]
	return []Rule[T]{
		r.rule("of those who change one version, one succeeds", suite.changesHaveOneWinner),
		r.rule("of those who create one entity, one succeeds", suite.creationsHaveOneWinner),
	}
}

// Others is the rule of those who write different things at once.
func (r Shared[T, P, C]) Others() Rule[T] {
	type suite = *Suite[P, C]
	return r.rule("changes that do not meet all succeed, and are counted", suite.othersDoNotMatter)
}

// Empty is the rule that finds out whether each rule got a store of its own. It has to be the
// last.
func (r Shared[T, P, C]) Empty() []Rule[T] {
	type suite = *Suite[P, C]
	return []Rule[T]{r.rule(NewIsEmpty, suite.newStoresAreEmpty)}
}

// NewIsEmpty is the words of [Shared.Empty]. No single store can break it.
const NewIsEmpty = "a new store is empty"
