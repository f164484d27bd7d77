package core

import "reflect"

// Own returns store as the optional interface T. It returns false if store does not implement T, or
// if its Self returns another store: then store is a wrapper that has T from the store that it
// embeds. It also returns false if store cannot be compared, such as a struct with a slice.
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
