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

// Parents makes a store whose methods that read parents are broken.
func (v Views[S, P, C]) Parents(broken func(storetest.Methods[P]) storetest.Methods[P]) func(S) S {
	return v(ofReads[P, C](broken, nil))
}

// Children makes a store whose methods that read children are broken.
func (v Views[S, P, C]) Children(broken func(storetest.Methods[C]) storetest.Methods[C]) func(S) S {
	return v(ofReads[P](nil, broken))
}

// ReadParents makes a store that changes what it returns of parents.
func (v Views[S, P, C]) ReadParents(change func(*P)) func(S) S { return v.Parents(Reads(change)) }

// ReadChildren makes a store that changes what it returns of children.
func (v Views[S, P, C]) ReadChildren(change func(*C)) func(S) S { return v.Children(Reads(change)) }

// ofReads breaks the methods that read parents, or those that read children; nil breaks none.
func ofReads[P, C any](
	parents func(storetest.Methods[P]) storetest.Methods[P],
	children func(storetest.Methods[C]) storetest.Methods[C],
) func(storetest.Store[P, C]) storetest.Store[P, C] {
	return func(s storetest.Store[P, C]) storetest.Store[P, C] {
		if parents != nil {
			s.Parents = parents(s.Parents)
		}
		if children != nil {
			s.Children = children(s.Children)
		}
		return s
	}
}
