// Package storetest has the rules that every store keeps, whatever its entities, and what the
// suites of stores share besides: a probe that notes what is wrong, made-up values,
// comparisons that name the field, and catalogues that are searched by every field of a
// filter.
//
// A store has two kinds of entities: parents (flows, events), which are stored with their
// children (notifications, notices). A [Suite] brings the store's methods and made-up entities
// of both kinds; [Shared] has the rules. The rules that one store keeps alone stand in its own
// suite: package flowtest, package pagoinretetest. Package brokenstore breaks the rules that
// are here.
package storetest
