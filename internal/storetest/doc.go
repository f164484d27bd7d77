// Package storetest has the rules that every store keeps, whatever its entities. They are listed
// in shared.go; the files are: kept.go, keptvalues.go (what was stored is read), counts.go,
// versions.go, history.go, atomicity.go (all or nothing), lists.go (pages), contexts.go,
// concurrency.go. A suite has the same names for its own rules of the same family: filters.go and
// isolation.go here have only what such rules share.
//
// A rule of one entity is added in its suite, package flowtest or pagoinretetest: write a test, a
// func(*probe), put it with its words into the list of its file, such as claimRules, and break it
// in breakers_test.go. If it adds to a shared rule, see [Also]. A rule of both goes into shared.go,
// and is broken in package brokenstore.
//
// A store has two kinds of entities: parents (flows, events), which are stored with their
// children (notifications, notices). A [Suite] has both as a [Kind] each: the methods of the store,
// and how to make entities. A [Contract] checks rules, of stores or of anything else, such as
// gateways. What every suite shares besides is a [Probe] that notes what is wrong, made-up values,
// comparisons that name the field, and a [Catalogue] that is searched by every field of a filter.
package storetest
