package flow

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
)

// noticeUses are the rows of an import that ask for a payment. They find a notice number that several
// citizens have: each of them could pay it, and only one of them may be meant. It is a doubt, since
// an office may tell both parents, or all heirs, of the same debt.
type noticeUses struct {
	seed  maphash.Seed
	uses  []noticeUse
	first []flussi.NoticeNumber // of the first uses, at most maxLookUps
}

// noticeUse is a row with a notice number. It has hashes, so that a million rows take 16 MB. If two
// numbers had the same hash, there would be a doubt too many.
type noticeUse struct {
	number    uint64
	recipient uint32
	row       uint32
}

// maxLookUps is how many notice numbers are looked for in a flow one by one. If there are more, the
// flow is read.
const maxLookUps = 100

// add notes the notice number of a row, if it has one.
func (u *noticeUses) add(row int, d Draft) {
	if d.NoticeNumber.IsZero() {
		return
	}
	if u.uses == nil {
		u.seed = maphash.MakeSeed()
	}
	u.uses = append(u.uses, noticeUse{u.numberOf(d), u.recipientOf(d), uint32(row)})
	if len(u.first) < maxLookUps {
		u.first = append(u.first, d.NoticeNumber)
	}
}

func (u *noticeUses) numberOf(d Draft) uint64 { return maphash.Comparable(u.seed, d.NoticeNumber) }

func (u *noticeUses) recipientOf(d Draft) uint32 {
	return uint32(maphash.Comparable(u.seed, d.Recipient))
}

// sort sorts the uses by number, and those of a number by row.
func (u *noticeUses) sort() {
	slices.SortFunc(u.uses, func(a, b noticeUse) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.row, b.row))
	})
}

// shared calls found with each row whose notice number another citizen has in an earlier row, in the
// order of the rows. The uses are sorted.
func (u *noticeUses) shared(found func(row, earlier int)) {
	type pair struct{ row, earlier uint32 }
	var pairs []pair
	for i := 0; i < len(u.uses); {
		first := u.uses[i]
		for i++; i < len(u.uses) && u.uses[i].number == first.number; i++ {
			if u.uses[i].recipient != first.recipient {
				pairs = append(pairs, pair{u.uses[i].row, first.row})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return cmp.Compare(a.row, b.row) })
	for _, p := range pairs {
		found(int(p.row), int(p.earlier))
	}
}

// of returns the first row with the notice number of a notification to another citizen; 0 if there is
// none. The uses are sorted.
func (u *noticeUses) of(n Notification) (row int) {
	if n.NoticeNumber.IsZero() {
		return 0
	}
	number, recipient := u.numberOf(n.Draft), u.recipientOf(n.Draft)
	at, _ := slices.BinarySearchFunc(u.uses, number, func(u noticeUse, number uint64) int { return cmp.Compare(u.number, number) })
	for ; at < len(u.uses) && u.uses[at].number == number; at++ {
		if u.uses[at].recipient != recipient {
			return int(u.uses[at].row)
		}
	}
	return 0
}

// warnOfSharedNotices reports the rows whose notice number another citizen has in an earlier row.
func (a *adding) warnOfSharedNotices() {
	a.notices.sort()
	a.notices.shared(func(row, earlier int) {
		a.warnOfNotice(row, fmt.Sprintf("Lo stesso numero avviso è alla riga %d, per un altro cittadino", earlier))
	})
}

func (a *adding) warnOfNotice(row int, text string) {
	e := &flussi.InvalidError{}
	e.Add("NoticeNumber", flussi.ErrDuplicate, text+": verificare chi deve pagare.")
	a.warn(row, e)
}

// warnOfEarlierNotices reports the rows whose notice number another citizen has in a notification
// that the flow had before the import, which has stored its rows. What cannot be read is not
// reported: the import is over.
func (a *adding) warnOfEarlierNotices(ctx context.Context) {
	if a.about == uuid.Nil || a.flow.Counts.Total() == 0 || len(a.notices.uses) == 0 {
		return
	}
	compare := func(n Notification) {
		if row := a.notices.of(n); row > 0 && !n.CreatedAt.Equal(a.at) {
			a.warnOfNotice(row, "Lo stesso numero avviso è nel flusso, nella notifica "+described(n)+", per un altro cittadino")
		}
	}
	filters := []NotificationFilter{{Flow: a.about}}
	if len(a.notices.first) < maxLookUps {
		filters = nil
		for _, number := range a.notices.first {
			filters = append(filters, NotificationFilter{Flow: a.about, NoticeNumber: number})
		}
	}
	for _, filter := range filters {
		for n, err := range all(ctx, a.service.store, filter) {
			if err != nil {
				return
			}
			compare(n)
		}
	}
}
