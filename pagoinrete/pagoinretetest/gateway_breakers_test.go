package pagoinretetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/flussi-go/flussi"
	"github.com/flussi-go/flussi/internal/brokenstore"
	"github.com/flussi-go/flussi/pagoinrete"
	"github.com/flussi-go/flussi/pagoinrete/pagoinretetest"
)

// gatewayBreaker breaks one thing of the gateways of a world, or of the world, whose platform
// alone sees it.
type gatewayBreaker = brokenstore.Breaker[pagoinretetest.GatewayWorld]

// each breaks each gateway of a world.
func each(broken func(gateway) gateway) func(pagoinretetest.GatewayWorld) pagoinretetest.GatewayWorld {
	return func(w pagoinretetest.GatewayWorld) pagoinretetest.GatewayWorld {
		w.Gateway, w.Unauthorized, w.OtherGateway = broken(w.Gateway), broken(w.Unauthorized), broken(w.OtherGateway)
		return w
	}
}

var gatewayBreakers = slices.Concat(
	putBreakers, eventMoveBreakers, noticeMoveBreakers, readBreakers, paymentBreakers, pdfBreakers, refusalBreakers,
	connectionBreakers, errorBreakers, concurrencyBreakers,
)

var putBreakers = []gatewayBreaker{
	{"a new event has no RemoteID", "an event that is put is there, as Simulato", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		there, err := c.do()
		there.RemoteID = ""
		return there, err
	}))},
	{"what is read of an event has another ID", "an event that is put is there, as Simulato", each(func(g gateway) gateway {
		return alteredGateway{Gateway: g, event: func(ctx context.Context, id uuid.UUID) (remoteEvent, error) {
			there, err := g.Event(ctx, id)
			there.ID = uuid.Nil
			return there, err
		}}
	})},
	{"donations are not transmitted", "an event that is put is there, as Simulato", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		if c.event.Kind == pagoinrete.Donation {
			return remoteEvent{ID: c.event.ID, RemoteID: "EV-0", State: pagoinrete.EventSimulated}, nil
		}
		return c.do()
	}))},
	{"an event that is put again gets another RemoteID", "an event that is put again is the same one", each(func(g gateway) gateway {
		puts := 0
		return putsEvents(func(c eventPut) (remoteEvent, error) {
			there, err := c.do()
			puts++
			there.RemoteID += fmt.Sprint("/", puts)
			return there, err
		})(g)
	})},
	{"an event that is put again is refused", "an event that is put again is the same one", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		if _, err := c.there(); err == nil {
			return remoteEvent{}, refusal(flussi.ErrRemoteState)
		}
		return c.do()
	}))},
	{"an event that was rejected is Simulato again when it is put", "an event that is put again is the same one", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		there, err := c.do()
		there.State = pagoinrete.EventSimulated
		return there, err
	}))},
	{"an event that is there is not transmitted again", "an event that is put again has the new data", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		if there, err := c.there(); err == nil {
			return there, nil
		}
		return c.do()
	}))},
	{"an event that cannot be replaced is as good as replaced", "an event is not replaced in another state than Simulato or Rifiutato", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		there, err := c.do()
		if isState(err) {
			return c.there()
		}
		return there, err
	}))},
	{"a number has wrong check digits", "a notice that is put is there, as Non notificato, with a number", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) {
			digits := []byte(n.Number.Reveal())
			digits[17] = '0' + (digits[17]-'0'+1)%10
			n.Number, _ = flussi.ParseNoticeNumber(string(digits))
		})
	})},
	{"a new notice is Notificato", "a notice that is put is there, as Non notificato, with a number", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) { n.State = pagoinrete.NoticeNotified })
	})},
	{"the reply to a new notice has no number", "a notice that is put is there, as Non notificato, with a number", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		there, err := c.do()
		there.Number = flussi.NoticeNumber{}
		return there, err
	}))},
	{"a notice that is put again gets another number", "a notice that is put again is the same one", each(func(g gateway) gateway {
		var last flussi.NoticeNumber
		return putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			last, there.Number = there.Number, last
			return there, err
		})(g)
	})},
	{"a notice that is put again is a new one", "a notice that is put again is the same one", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		if _, known := c.there(); known {
			return c.doAs(uuid.New())
		}
		return c.do()
	}))},
	{"a notice that is there is not transmitted again", "a notice that is put again has the new data", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		if there, known := c.there(); known {
			return there, nil
		}
		return c.do()
	}))},
	{"the amount is transmitted without the discount", "a notice that is put again has the new data", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		c.notice.Discount = 0
		return c.do()
	}))},
	{"a notice that cannot be put is as good as put", "a notice is not put unless its event is Simulato or Rifiutato", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		there, err := c.do()
		if isState(err) {
			return there, nil
		}
		return there, err
	}))},
	{"a notice that was cancelled is put under another ID", "a notice that was cancelled is not put again", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		there, err := c.do()
		if isState(err) {
			return c.doAs(uuid.New())
		}
		return there, err
	}))},
	{"all notices of an event have one number", "no two notices have the same number", each(func(g gateway) gateway {
		numbers := map[uuid.UUID]flussi.NoticeNumber{}
		return putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			if numbers[c.notice.EventID].IsZero() {
				numbers[c.notice.EventID] = there.Number
			}
			there.Number = numbers[c.notice.EventID]
			return there, err
		})(g)
	})},
	{"a notice that is put again is made anew", "what is put again is there once, by the records of the platform", madeAnew},
}

var eventMoveBreakers = []gatewayBreaker{
	{"a step returns the event as it was before", "an event takes the steps of the guide", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		before, _ := c.there()
		if _, err := c.do(); err != nil {
			return remoteEvent{}, err
		}
		return before, nil
	}))},
	{"an approval is a rejection", "an event takes the steps of the guide", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		if c.action == pagoinrete.EventApprove {
			c.action = pagoinrete.EventReject
		}
		return c.do()
	}))},
	{"the DSGA may not act", "an event takes the steps of the guide", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		if c.by.Has(flussi.AdminDirector) {
			c.by.Roles = nil
		}
		return c.do()
	}))},
	{"an event that cannot be deleted is as good as deleted", "an event takes no step that its state does not permit", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		there, err := c.do()
		if c.action == pagoinrete.EventDelete && isState(err) {
			return c.there()
		}
		return there, err
	}))},
	{"an event is submitted before it is approved", "an event takes no step that its state does not permit", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		if c.action == pagoinrete.EventApprove {
			first := c
			first.action, first.by = pagoinrete.EventSubmit, anyone(pagoinrete.EventSubmit)
			_, _ = first.do()
		}
		return c.do()
	}))},
	{"an event that was submitted is submitted", "an event does not take the same step twice", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		there, err := c.do()
		if c.action == pagoinrete.EventSubmit && isState(err) {
			return c.there()
		}
		return there, err
	}))},
	{"nobody is asked who acts with an event", "an event takes its steps by the SIDI roles of the guide", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		c.by = anyone(c.action)
		return c.do()
	}))},
	{"nobody is asked who transmits an event", "an event takes its steps by the SIDI roles of the guide", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		c.by = anyone("")
		return c.do()
	}))},
	{"nobody is asked who transmits a notice", "an event takes its steps by the SIDI roles of the guide", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		c.by = anyone("")
		return c.do()
	}))},
	{"a role that is missing reads as a state", "an event takes its steps by the SIDI roles of the guide", each(errorsAs(flussi.ErrRemoteForbidden, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteState }))},
	{"why an event is rejected is not transmitted", "an event that is rejected says why", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		c.reason = flussi.Text{}
		return c.do()
	}))},
	{"an action that is none does nothing", "an action that is no step of an event is refused", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		if c.action == pagoinrete.EventEdit {
			return c.there()
		}
		return c.do()
	}))},
	{"an action that is none submits", "an action that is no step of an event is refused", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		if c.action == "" {
			c.action = pagoinrete.EventSubmit
		}
		return c.do()
	}))},
	{"notices outlive an event that is deleted", "with an event that is deleted, its notices are cancelled", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) {
			if n.State == pagoinrete.NoticeCancelled {
				n.State = pagoinrete.NoticeNotNotified
			}
		})
	})},
}

var noticeMoveBreakers = []gatewayBreaker{
	{"a notice that was cancelled is left out", "a notice is cancelled before it is paid", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		all, err := c.do()
		return slices.DeleteFunc(all, func(n remoteNotice) bool { return n.State == pagoinrete.NoticeCancelled }), err
	}))},
	{"proofs are not transmitted whole", "a payment outside Pago In Rete is there with its proof", each(movesNotices(func(c noticeMove) (remoteNotice, error) {
		c.proof.By = ""
		return c.do()
	}))},
	{"a payment by hand has a receipt", "a payment outside Pago In Rete is there with its proof", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) {
			n.Evidence.Receipt, n.Evidence.Manual = n.Evidence.Manual, n.Evidence.Receipt
		})
	})},
	{"a refund replaces the payment", "a refund is there with its proof", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) {
			if !n.Evidence.Refund.IsZero() {
				n.Evidence = pagoinrete.Evidence{Refund: n.Evidence.Refund}
			}
		})
	})},
	{"a payment that cannot be recorded is as good as recorded", "a notice takes no step that its state does not permit", each(movesNotices(func(c noticeMove) (remoteNotice, error) { return c.asGoodAs(pagoinrete.NoticePayManually) }))},
	{"a state that does not permit it reads as data that are not valid", "a notice takes no step that its state does not permit", each(errorsAs(flussi.ErrRemoteState, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteInvalid }))},
	{"a notice that was cancelled is cancelled", "a notice does not take the same step twice", each(movesNotices(func(c noticeMove) (remoteNotice, error) { return c.asGoodAs(pagoinrete.NoticeCancel) }))},
	{"nobody is asked who acts with a notice", "a notice takes its steps by the SIDI roles of the guide", each(movesNotices(func(c noticeMove) (remoteNotice, error) {
		c.by = anyone("")
		return c.do()
	}))},
	{"an action that is no step panics", "an action that is no step of a notice is refused", each(movesNotices(func(c noticeMove) (remoteNotice, error) {
		if c.action == "" {
			panic("no such action")
		}
		return c.do()
	}))},
}

var readBreakers = []gatewayBreaker{
	{"an event that is not there is a zero value", "what is not there is not found", each(func(g gateway) gateway {
		return alteredGateway{Gateway: g, event: func(ctx context.Context, id uuid.UUID) (remoteEvent, error) {
			there, err := g.Event(ctx, id)
			if errors.Is(err, flussi.ErrRemoteNotFound) {
				return remoteEvent{}, nil
			}
			return there, err
		}}
	})},
	{"what is not there reads as not available", "what is not there is not found", each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Kind = flussi.ErrUnavailable }))},
	{"Notices fails if one of them is not there", "Notices returns those that are there, once each", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		all, err := c.do()
		if err == nil && len(all) < len(c.ids) && len(c.ids) > 4 {
			return nil, refusal(flussi.ErrRemoteNotFound)
		}
		return all, err
	}))},
	{"a notice that is asked for twice comes twice", "Notices returns those that are there, once each", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		var all []remoteNotice
		for _, id := range c.ids {
			one, err := c.gateway.Notices(c.ctx, []uuid.UUID{id})
			if err != nil {
				return nil, err
			}
			all = append(all, one...)
		}
		return all, nil
	}))},
	{"what is not there is a zero notice", "Notices returns those that are there, once each", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		all, err := c.do()
		for _, id := range c.ids {
			if !slices.ContainsFunc(all, func(n remoteNotice) bool { return n.ID == id }) {
				all = append(all, remoteNotice{ID: id})
			}
		}
		return all, err
	}))},
	{"notices have the IDs in the order of the question", "Notices returns those that are there, once each", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		all, err := c.do()
		for i := range min(len(all), len(c.ids)) {
			all[i].ID = c.ids[i]
		}
		return all, err
	}))},
	{"Notices returns the first page", "Notices returns as many as may be asked for", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		all, err := c.do()
		return all[:min(len(all), 100)], err
	}))},
	{"Notices refuses more than 250", "Notices returns as many as may be asked for", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		if len(c.ids) > 250 {
			return nil, refusal(flussi.ErrRemoteInvalid)
		}
		return c.do()
	}))},
	{"Notices of none is refused", "Notices of none returns none", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		if len(c.ids) == 0 {
			return nil, refusal(flussi.ErrRemoteInvalid)
		}
		return c.do()
	}))},
}

var paymentBreakers = []gatewayBreaker{
	{"a receipt that is not there is a zero receipt", "a receipt that is not there is not found", each(receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
		if errors.Is(err, flussi.ErrRemoteNotFound) {
			return pagoinrete.Receipt{}, nil
		}
		return r, err
	}))},
	{"no payer has logged in", "a payer who has logged in makes a notice of an event that is Notificato notificato", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) { n.PayerLoggedIn = false })
	})},
	{"a notice is Notificato when its event is", "a payer who has logged in makes a notice of an event that is Notificato notificato", each(func(g gateway) gateway {
		notified := false
		return movesEvents(func(c eventMove) (remoteEvent, error) {
			notified = notified || c.action == pagoinrete.EventNotify
			return c.do()
		})(readNotices(g, func(n *remoteNotice) {
			if notified {
				n.State = pagoinrete.NoticeNotified
			}
		}))
	})},
	{"evidence is not read", "a payment online is there with its evidence and its receipt", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) { n.Evidence = pagoinrete.Evidence{} })
	})},
	{"the amount of a receipt is in euro", "a payment online is there with its evidence and its receipt", each(receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
		r.Amount /= 100
		return r, err
	}))},
	{"the time of a receipt is local", "a payment online is there with its evidence and its receipt", each(receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
		r.Date = r.Date.In(time.FixedZone("CET", 3600))
		return r, err
	}))},
	{"a receipt has a reference of its own", "a payment online is there with its evidence and its receipt", each(receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
		r.Reference = "RT"
		return r, err
	}))},
	{"a notice that was paid is as good as cancelled", "a notice that was paid online is refunded, and not cancelled or paid again", each(movesNotices(func(c noticeMove) (remoteNotice, error) { return c.asGoodAs(pagoinrete.NoticeCancel) }))},
	{"a payment under way reads as Notificato", "a notice whose payment is under way is not cancelled or paid otherwise", each(func(g gateway) gateway {
		return readNotices(g, func(n *remoteNotice) {
			if n.State == pagoinrete.NoticeAwaitingReceipt {
				n.State = pagoinrete.NoticeNotified
			}
		})
	})},
	{"the outcome of a receipt is not read", "a payment that came to nothing has a receipt that says so", each(receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
		r.Outcome = pagoinrete.ReceiptPaid
		return r, err
	}))},
}

var pdfBreakers = []gatewayBreaker{
	{"the beginning of a PDF is lost", "the PDF of a notice is whole", each(pdfs(func(body io.ReadCloser) io.ReadCloser {
		_, _ = io.ReadFull(body, make([]byte, 5))
		return body
	}))},
	{"a PDF has at most 512 bytes", "the PDF of a notice is whole", each(pdfs(func(body io.ReadCloser) io.ReadCloser { return readCloser{io.LimitReader(body, 512), body.Close} }))},
	{"bytes are lost when a PDF is read in small parts", "the PDF of a notice is whole", each(pdfs(func(body io.ReadCloser) io.ReadCloser {
		return readCloser{readerFunc(func(b []byte) (int, error) {
			large := make([]byte, max(len(b), 8))
			n, err := body.Read(large)
			return copy(b, large[:n]), err
		}), body.Close}
	}))},
	{"the end of a connection is the end of a PDF", "a PDF that is cut off ends with an error of reading", each(pdfs(func(body io.ReadCloser) io.ReadCloser {
		return readCloser{readerFunc(func(b []byte) (int, error) {
			n, err := body.Read(b)
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			return n, err
		}), body.Close}
	}))},
	{"Close closes nothing", "a PDF that is closed is released, read to its end or not", each(pdfs(func(body io.ReadCloser) io.ReadCloser { return io.NopCloser(body) }))},
	{"a PDF is released at its end only", "a PDF that is closed is released, read to its end or not", each(pdfs(func(body io.ReadCloser) io.ReadCloser {
		return readCloser{readerFunc(func(b []byte) (int, error) {
			n, err := body.Read(b)
			if errors.Is(err, io.EOF) {
				_ = body.Close()
			}
			return n, err
		}), func() error { return nil }}
	}))},
	{"a call that asks for a receipt leaves a PDF open", "a call that is over has released its reply", each(func(g gateway) gateway {
		return alteredGateway{Gateway: g, receipt: func(ctx context.Context, id uuid.UUID) (pagoinrete.Receipt, error) {
			_, _ = g.NoticePDF(ctx, id)
			return g.Receipt(ctx, id)
		}}
	})},
}

var refusalBreakers = []gatewayBreaker{
	{"data that are not valid are corrected", "data that are not valid are refused, and change nothing", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		if c.event.Name == "" {
			c.event.Name = "senza nome"
		}
		return c.do()
	}))},
	{"data that are not valid may be taken later", "data that are not valid are refused, and change nothing", each(errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeNotDone }))},
	{"a refusal is of two kinds", "data that are not valid are refused, and change nothing", each(errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Err = flussi.ErrRemoteState }))},
	{"a refused notice is there", "data that are not valid are refused, and change nothing", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		there, err := c.do()
		if errors.Is(err, flussi.ErrRemoteInvalid) && c.notice.Discount == c.notice.Amount {
			c.notice.Amount, c.notice.Discount = 1, 0
			_, _ = c.do()
		}
		return there, err
	}))},
	{"a notice of a donation is as good as put", "a notice of a donation is refused", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		there, err := c.do()
		if errors.Is(err, flussi.ErrRemoteInvalid) {
			return there, nil
		}
		return there, err
	}))},
	{"the school of an event does not matter", "an event or a notice of another school is refused", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		c.event.School = gatewaySchool
		return c.do()
	}))},
	{"the school of a notice does not matter", "an event or a notice of another school is refused", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		c.notice.School = gatewaySchool
		return c.do()
	}))},
	{"it shows that another school has something", "a school neither reads nor changes what is another's", each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteForbidden }))},
	{"credentials that are not accepted are a role that is missing", "credentials that are not accepted are told apart from everything else", each(errorsAs(flussi.ErrUnauthorized, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteForbidden }))},
	{"credentials that are not accepted may be accepted later", "credentials that are not accepted are told apart from everything else", each(errorsAs(flussi.ErrUnauthorized, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeNotDone }))},
}

var connectionBreakers = []gatewayBreaker{
	{"a call whose reply is lost was not made", "a change whose reply is lost is unknown or done, and can be read back", each(errorsAs(flussi.ErrOutcomeUnknown, func(e *flussi.RemoteError) {
		e.Kind, e.Outcome = flussi.ErrUnavailable, flussi.OutcomeNotDone
	}))},
	{"a step without a reply is taken again, and its refusal believed", "a change whose reply is lost is unknown or done, and can be read back", each(func(g gateway) gateway {
		return around(g, func(ctx context.Context, method string, call func(context.Context) error) error {
			err := call(ctx)
			if errors.Is(err, flussi.ErrOutcomeUnknown) && strings.HasPrefix(method, "Move") {
				return refusal(flussi.ErrRemoteState)
			}
			return err
		})
	})},
	{"a notice that was put without a reply is put under another ID", "what was put, and whose reply is lost, is recognised when it is put again", each(func(g gateway) gateway {
		lost := map[uuid.UUID]bool{}
		return putsNotices(func(c noticePut) (remoteNotice, error) {
			if lost[c.notice.ID] {
				return c.doAs(uuid.New())
			}
			there, err := c.do()
			lost[c.notice.ID] = errors.Is(err, flussi.ErrOutcomeUnknown)
			return there, err
		})(g)
	})},
	{"what cannot be asked for is not there", "a call that does not reach the platform says that it was not made, or that nobody knows", each(errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteNotFound }))},
	{"without a connection there are no notices", "a call that does not reach the platform says that it was not made, or that nobody knows", each(reads(func(c noticesRead) ([]remoteNotice, error) {
		all, err := c.do()
		if errors.Is(err, flussi.ErrUnavailable) {
			return nil, nil
		}
		return all, err
	}))},
	{"without a connection a change is refused", "a call that does not reach the platform says that it was not made, or that nobody knows", each(errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeRefused }))},
	{"a change is made although its context has ended", "a context that has ended stops a call before it is made", each(putsEvents(func(c eventPut) (remoteEvent, error) {
		c.ctx = context.WithoutCancel(c.ctx)
		return c.do()
	}))},
	{"a context that has ended leaves the outcome open", "a context that has ended stops a call before it is made", each(errorsAs(flussi.ErrInterrupted, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeUnknown }))},
	{"a context that has ended makes the platform unavailable", "a context that has ended stops a call before it is made", each(errorsAs(flussi.ErrInterrupted, func(e *flussi.RemoteError) { e.Kind = flussi.ErrUnavailable }))},
	{"a change does not end with its context", "a call returns when its context ends, and a change that may have arrived is unknown", each(movesNotices(func(c noticeMove) (remoteNotice, error) {
		c.ctx = context.WithoutCancel(c.ctx)
		return c.do()
	}))},
	{"a reading does not end with its context", "a call returns when its context ends, and a change that may have arrived is unknown", each(func(g gateway) gateway {
		return alteredGateway{Gateway: g, noticePDF: func(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
			return g.NoticePDF(context.WithoutCancel(ctx), id)
		}}
	})},
	{"a change that its context ended was not made", "a call returns when its context ends, and a change that may have arrived is unknown", each(errorsAs(flussi.ErrOutcomeUnknown, func(e *flussi.RemoteError) {
		e.Kind, e.Outcome = flussi.ErrInterrupted, flussi.OutcomeNotDone
	}))},
	{"notices are read from a copy", "a call returns when its context ends, and a change that may have arrived is unknown", each(func(g gateway) gateway {
		kept := map[uuid.UUID]remoteNotice{}
		return reads(func(c noticesRead) ([]remoteNotice, error) {
			if n, known := kept[c.ids[0]]; known {
				return []remoteNotice{n}, nil
			}
			return c.do()
		})(readNotices(g, func(n *remoteNotice) { kept[n.ID] = *n }))
	})},
}

var errorBreakers = []gatewayBreaker{
	{"errors have no Platform", "a refusal is a RemoteError that says what was refused", each(func(g gateway) gateway { return failingAs(g, func(e *flussi.RemoteError) { e.Platform = "" }) })},
	{"errors have no Operation", "a refusal is a RemoteError that says what was refused", each(func(g gateway) gateway { return failingAs(g, func(e *flussi.RemoteError) { e.Operation = "" }) })},
	{"changes have no Outcome", "a refusal is a RemoteError that says what was refused", each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Outcome = "" }))},
	{"readings have an Outcome", "a refusal is a RemoteError that says what was refused", each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeRefused }))},
	{"errors are plain errors", "a refusal is a RemoteError that says what was refused", each(func(g gateway) gateway {
		return failing(g, func(err error) error { return errors.New(err.Error()) })
	})},
	{"failures are plain errors", "a failure of the connection is a RemoteError that says what failed", each(func(g gateway) gateway {
		return failing(g, func(err error) error {
			if errors.Is(err, flussi.ErrOutcomeUnknown) {
				return errors.New("unexpected EOF")
			}
			return err
		})
	})},
	{"failures are of a Kind of their own", "a failure of the connection is a RemoteError that says what failed", each(errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Kind = errors.New("gateway down") }))},
	{"a refusal quotes the request", "a refusal shows no personal data, no notice number and no key", each(putsNotices(func(c noticePut) (remoteNotice, error) {
		there, err := c.do()
		if err != nil {
			err = fmt.Errorf("notice of %s: %w", c.notice.Debtor.Reveal(), err)
		}
		return there, err
	}))},
	{"a refusal shows the name in small letters", "a refusal shows no personal data, no notice number and no key", each(errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Detail = "debtor rossi mariolina" }))},
	{"a refusal tells the operator why", "a refusal shows no personal data, no notice number and no key", each(movesEvents(func(c eventMove) (remoteEvent, error) {
		there, err := c.do()
		var e *flussi.RemoteError
		if errors.As(err, &e) {
			altered := *e
			altered.Reason = "Motivo: " + c.reason.Reveal()
			err = &altered
		}
		return there, err
	}))},
	{"a failure shows the key", "a failure of the connection shows no personal data, no notice number and no key", each(func(g gateway) gateway {
		return failingAs(g, func(e *flussi.RemoteError) { e.Detail = "Authorization: Bearer " + gatewayKey })
	})},
	{"a PDF that is cut off shows the number", "a failure of the connection shows no personal data, no notice number and no key", each(func(g gateway) gateway {
		var number flussi.NoticeNumber
		return pdfs(func(body io.ReadCloser) io.ReadCloser {
			return readCloser{readerFunc(func(b []byte) (int, error) {
				n, err := body.Read(b)
				if err != nil && !errors.Is(err, io.EOF) {
					err = fmt.Errorf("PDF of %s: %w", number.Reveal(), err)
				}
				return n, err
			}), body.Close}
		})(readNotices(g, func(n *remoteNotice) { number = n.Number }))
	})},
}

// In a bubble, a moment is enough for all others to come along.
var concurrencyBreakers = []gatewayBreaker{
	{"of those who put an event at once all but one are refused", "an event that many put at once is one", each(func(g gateway) gateway { return putsEvents(onlyOne(eventPut.do))(g) })},
	{"of those who put a notice at once all but one are refused", "a notice that many put at once is one", each(func(g gateway) gateway { return putsNotices(onlyOne(noticePut.do))(g) })},
	{"who does not see a notice makes one", "a notice that many put at once is one", each(func(g gateway) gateway {
		var mu sync.Mutex
		made := map[uuid.UUID]bool{}
		return putsNotices(func(c noticePut) (remoteNotice, error) {
			_, known := c.there()
			time.Sleep(brokenstore.Moment)
			mu.Lock()
			another := !known && made[c.notice.ID]
			made[c.notice.ID] = true
			mu.Unlock()
			if another {
				return c.doAs(uuid.New())
			}
			return c.do()
		})(g)
	})},
	{"of many who put a notice each makes one", "what many put at once is there once, by the records of the platform", madeAnew},
	{"the notice of a call is a field of the gateway", "calls at once get the replies that are theirs", each(func(g gateway) gateway {
		var mu sync.Mutex
		var current pagoinrete.Notice
		return putsNotices(func(c noticePut) (remoteNotice, error) {
			mu.Lock()
			current = c.notice
			mu.Unlock()
			time.Sleep(brokenstore.Moment)
			mu.Lock()
			c.notice = current
			mu.Unlock()
			return c.do()
		})(g)
	})},
	{"who comes too late has done it too", "of those who take a step at once, one succeeds", each(movesNotices(func(c noticeMove) (remoteNotice, error) {
		time.Sleep(brokenstore.Moment)
		return c.asGoodAs(pagoinrete.NoticeCancel)
	}))},
}

// madeAnew is a world whose platform makes a notice each time that it is put, all with one ID.
func madeAnew(w pagoinretetest.GatewayWorld) pagoinretetest.GatewayWorld {
	var mu sync.Mutex
	made := map[uuid.UUID]int{}
	count := w.Count
	w.Gateway = putsNotices(func(c noticePut) (remoteNotice, error) {
		mu.Lock()
		made[c.notice.ID]++
		mu.Unlock()
		return c.do()
	})(w.Gateway)
	w.Count = func(ctx context.Context, id uuid.UUID) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if n := made[id]; n > 0 {
			return n, nil
		}
		return count(ctx, id)
	}
	return w
}
