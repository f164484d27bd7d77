package brokenstore

import (
	"github.com/flussi-go/flussi/internal/storetest"
)

// Views makes broken stores of good ones, by breaking the methods that every store has. A suite
// says how: its own type of store calls the broken methods.
type Views[S, P, C any] func(broken func(storetest.Store[P, C]) storetest.Store[P, C]) func(S) S

// WrittenParents makes a store that changes the parents that it is given before it stores them.
// Old is the one that is stored, the zero value if there is none.
func (v Views[S, P, C]) WrittenParents(change func(c *storetest.Change[P], old P)) func(S) S {
	return v(func(s storetest.Store[P, C]) storetest.Store[P, C] { return writtenParents(s, change) })
}

// WrittenChildren does the same to children.
func (v Views[S, P, C]) WrittenChildren(change func(c *storetest.Change[C], old C)) func(S) S {
	return v(func(s storetest.Store[P, C]) storetest.Store[P, C] { return WrittenChildren(s, change) })
}

// ReadParents makes a store that changes what it returns of parents.
func (v Views[S, P, C]) ReadParents(change func(*P)) func(S) S {
	return v.parents(func(m storetest.Methods[P]) storetest.Methods[P] { return Read(m, change) })
}

// ReadChildren makes a store that changes what it returns of children.
func (v Views[S, P, C]) ReadChildren(change func(*C)) func(S) S {
	return v.children(func(m storetest.Methods[C]) storetest.Methods[C] { return Read(m, change) })
}

// AskedParents makes a store that looks for other parents than it is asked for. Q is the store's
// own filter.
func AskedParents[S, P, C, Q any](v Views[S, P, C], change func(*Q)) func(S) S {
	return v.parents(func(m storetest.Methods[P]) storetest.Methods[P] {
		return asked(m, func(filter any) { change(filter.(*Q)) })
	})
}

// AskedChildren does the same to children.
func AskedChildren[S, P, C, Q any](v Views[S, P, C], change func(*Q)) func(S) S {
	return v.children(func(m storetest.Methods[C]) storetest.Methods[C] {
		return asked(m, func(filter any) { change(filter.(*Q)) })
	})
}

// FoundParents makes a store that finds parents in its own way: see [Searched].
func FoundParents[S, P, C, Q any](v Views[S, P, C], by func(*Q) (matches func(P) bool)) func(S) S {
	return v.parents(func(m storetest.Methods[P]) storetest.Methods[P] { return Searched(m, by) })
}

// FoundChildren does the same to children.
func FoundChildren[S, P, C, Q any](v Views[S, P, C], by func(*Q) (matches func(C) bool)) func(S) S {
	return v.children(func(m storetest.Methods[C]) storetest.Methods[C] { return Searched(m, by) })
}

func (v Views[S, P, C]) parents(broken func(storetest.Methods[P]) storetest.Methods[P]) func(S) S {
	return v(func(s storetest.Store[P, C]) storetest.Store[P, C] {
		s.Parents = broken(s.Parents)
		return s
	})
}

func (v Views[S, P, C]) children(broken func(storetest.Methods[C]) storetest.Methods[C]) func(S) S {
	return v(func(s storetest.Store[P, C]) storetest.Store[P, C] {
		s.Children = broken(s.Children)
		return s
	})
}
