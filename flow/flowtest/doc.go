// Package flowtest checks whether a [flow.Store] keeps the contract that its
// documentation states. Call [RunStore] in the tests of yours:
//
//	func TestStoreKeepsTheContract(t *testing.T) {
//		flowtest.RunStore(t, func(t *testing.T) flow.Store {
//			db := … // a database of its own, or one that was just emptied
//			return mystore.New(db)
//		})
//	}
//
// There is one test for each rule of the contract; its name is the rule in words, so that one rule
// is run by
//
//	go test -run 'TestStoreKeepsTheContract/a notification is given to one claim only'
//
// [CheckStore] does the same without a *testing.T, and [StoreRules] lists the rules. Files are named
// by the part of the contract that they check. All rules take some seconds on a store in memory, and
// up to a few minutes on a database that waits for its disk at each commit.
//
// The tests need no clock that agrees with the store's: they wait for leases of a
// nanosecond, up to half a minute, and never for longer ones. Random data come from a
// fixed seed, so a failure happens again.
//
// A store that has more to promise, such as to survive a crash of its database, has more
// to test than this.
package flowtest
