// Package settlementtest checks whether a [settlement.Store] keeps the contract that its
// documentation states. Call [RunStore] in the tests of yours:
//
//	func TestStoreKeepsTheContract(t *testing.T) {
//		settlementtest.RunStore(t, func(t *testing.T) settlement.Store {
//			db := … // a database of its own, or one that was just emptied
//			return mystore.New(db)
//		})
//	}
//
// There is one test for each rule of the contract; its name is the rule in words. [CheckStore] does
// the same without a *testing.T, and [StoreRules] lists the rules. Random data come from a fixed
// seed, so a failure happens again.
//
// The suite stores a payment with or after its settlement and with the same body, and never changes
// its settlement or body. So a database may have foreign keys.
package settlementtest
