package core

import "reflect"

// Own returns a store as an optional interface of stores, and false if the store does not have the
// interface, or has it from another store that it embeds: then Self returns that one. Stores that
// cannot be compared, such as structs with a slice, have none.
func Own[S any, T interface{ Self() S }](store S) (T, bool) {
	optional, is := any(store).(T)
	if is {
		self := reflect.ValueOf(optional.Self())
		is = self.IsValid() && self.Comparable() && any(store) == self.Interface()
	}
	if !is {
		var none T
		return none, false
	}
	return optional, true
}
