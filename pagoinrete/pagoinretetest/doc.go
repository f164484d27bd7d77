// Package pagoinretetest checks implementations of the interfaces of package pagoinrete.
//
// # Stores
//
// [Run] checks whether a [pagoinrete.Store] keeps the contract that its documentation
// states. Call it in the tests of yours:
//
//	func TestStoreKeepsTheContract(t *testing.T) {
//		pagoinretetest.Run(t, func(t *testing.T) pagoinrete.Store {
//			db := … // a database of its own, or one that was just emptied
//			return sqlstore.New(db)
//		})
//	}
//
// There is one test for each rule of the contract; its name is the rule in words, such
// as "the counts of an event are those of its notices". [Check] does the same without a
// *testing.T, and [Rules] lists the rules. Files are named by the part of the contract
// that they check. Random data come from a fixed seed, so a failure happens again.
//
// A notice is stored only where its event is, with the event's school, and neither of the
// two changes; so a database may have foreign keys. A store that has more to promise, such
// as to survive a crash of its database, has more to test than this.
package pagoinretetest
