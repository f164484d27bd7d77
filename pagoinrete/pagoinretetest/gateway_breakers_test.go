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

// gatewayBreaker breaks one thing of a gateway, or of the world whose platform alone sees it.
type gatewayBreaker struct {
	name    string
	rule    string // that it no longer keeps
	gateway func(gateway) gateway
	world   func(*pagoinretetest.GatewayWorld) // instead of the gateway
}

var gatewayBreakers = slices.Concat(
	putBreakers, eventMoveBreakers, noticeMoveBreakers, readBreakers, paymentBreakers, pdfBreakers, refusalBreakers,
	connectionBreakers, errorBreakers, concurrencyBreakers,
)

var putBreakers = []gatewayBreaker{
	{name: "a new event has no RemoteID", rule: "an event that is put is there, as Simulato",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			there, err := c.do()
			there.RemoteID = ""
			return there, err
		})},
	{name: "what is read of an event has another ID", rule: "an event that is put is there, as Simulato",
		gateway: func(g gateway) gateway {
			return alteredGateway{Gateway: g, event: func(ctx context.Context, id uuid.UUID) (remoteEvent, error) {
				there, err := g.Event(ctx, id)
				there.ID = uuid.Nil
				return there, err
			}}
		}},
	{name: "donations are not transmitted", rule: "an event that is put is there, as Simulato",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			if c.event.Kind == pagoinrete.Donation {
				return remoteEvent{ID: c.event.ID, RemoteID: "EV-0", State: pagoinrete.EventSimulated}, nil
			}
			return c.do()
		})},
	{name: "an event that is put again gets another RemoteID", rule: "an event that is put again is the same one",
		gateway: func(g gateway) gateway {
			puts := 0
			return putsEvents(func(c eventPut) (remoteEvent, error) {
				there, err := c.do()
				puts++
				there.RemoteID += fmt.Sprint("/", puts)
				return there, err
			})(g)
		}},
	{name: "an event that is put again is refused", rule: "an event that is put again is the same one",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			if _, err := c.there(); err == nil {
				return remoteEvent{}, refusal(flussi.ErrRemoteState)
			}
			return c.do()
		})},
	{name: "an event that was rejected is Simulato again when it is put", rule: "an event that is put again is the same one",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			there, err := c.do()
			there.State = pagoinrete.EventSimulated
			return there, err
		})},
	{name: "an event that is there is not transmitted again", rule: "an event that is put again has the new data",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			if there, err := c.there(); err == nil {
				return there, nil
			}
			return c.do()
		})},
	{name: "an event that cannot be replaced is as good as replaced", rule: "an event is not replaced in another state than Simulato or Rifiutato",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			there, err := c.do()
			if isState(err) {
				return c.there()
			}
			return there, err
		})},
	{name: "a number has wrong check digits", rule: "a notice that is put is there, as Non notificato, with a number",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				digits := []byte(n.Number.Reveal())
				digits[17] = '0' + (digits[17]-'0'+1)%10
				n.Number, _ = flussi.ParseNoticeNumber(string(digits))
			})
		}},
	{name: "a new notice is Notificato", rule: "a notice that is put is there, as Non notificato, with a number",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) { n.State = pagoinrete.NoticeNotified })
		}},
	{name: "the reply to a new notice has no number", rule: "a notice that is put is there, as Non notificato, with a number",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			there.Number = flussi.NoticeNumber{}
			return there, err
		})},
	{name: "a notice that is put again gets another number", rule: "a notice that is put again is the same one",
		gateway: func(g gateway) gateway {
			var last flussi.NoticeNumber
			return putsNotices(func(c noticePut) (remoteNotice, error) {
				there, err := c.do()
				last, there.Number = there.Number, last
				return there, err
			})(g)
		}},
	{name: "a notice that is put again is a new one", rule: "a notice that is put again is the same one",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			if _, known := c.there(); known {
				return c.doAs(uuid.New())
			}
			return c.do()
		})},
	{name: "a notice that is there is not transmitted again", rule: "a notice that is put again has the new data",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			if there, known := c.there(); known {
				return there, nil
			}
			return c.do()
		})},
	{name: "the amount is transmitted without the discount", rule: "a notice that is put again has the new data",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			c.notice.Discount = 0
			return c.do()
		})},
	{name: "a notice that cannot be put is as good as put", rule: "a notice is not put unless its event is Simulato or Rifiutato",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			if isState(err) {
				return there, nil
			}
			return there, err
		})},
	{name: "a notice that was cancelled is put under another ID", rule: "a notice that was cancelled is not put again",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			if isState(err) {
				return c.doAs(uuid.New())
			}
			return there, err
		})},
	{name: "all notices of an event have one number", rule: "no two notices have the same number",
		gateway: func(g gateway) gateway {
			numbers := map[uuid.UUID]flussi.NoticeNumber{}
			return putsNotices(func(c noticePut) (remoteNotice, error) {
				there, err := c.do()
				if numbers[c.notice.EventID].IsZero() {
					numbers[c.notice.EventID] = there.Number
				}
				there.Number = numbers[c.notice.EventID]
				return there, err
			})(g)
		}},
	{name: "a notice that is put again is made anew", rule: "what is put again is there once, by the records of the platform",
		world: madeAnew},
}

var eventMoveBreakers = []gatewayBreaker{
	{name: "a step returns the event as it was before", rule: "an event takes the steps of the guide",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			before, _ := c.there()
			if _, err := c.do(); err != nil {
				return remoteEvent{}, err
			}
			return before, nil
		})},
	{name: "an approval is a rejection", rule: "an event takes the steps of the guide",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			if c.action == pagoinrete.EventApprove {
				c.action = pagoinrete.EventReject
			}
			return c.do()
		})},
	{name: "the DSGA may not act", rule: "an event takes the steps of the guide",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			if c.by.Has(flussi.AdminDirector) {
				c.by.Roles = nil
			}
			return c.do()
		})},
	{name: "an event that cannot be deleted is as good as deleted", rule: "an event takes no step that its state does not permit",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			there, err := c.do()
			if c.action == pagoinrete.EventDelete && isState(err) {
				return c.there()
			}
			return there, err
		})},
	{name: "an event is submitted before it is approved", rule: "an event takes no step that its state does not permit",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			if c.action == pagoinrete.EventApprove {
				first := c
				first.action, first.by = pagoinrete.EventSubmit, anyone(pagoinrete.EventSubmit)
				_, _ = first.do()
			}
			return c.do()
		})},
	{name: "an event that was submitted is submitted", rule: "an event does not take the same step twice",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			there, err := c.do()
			if c.action == pagoinrete.EventSubmit && isState(err) {
				return c.there()
			}
			return there, err
		})},
	{name: "nobody is asked who acts with an event", rule: "an event takes its steps by the SIDI roles of the guide",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			c.by = anyone(c.action)
			return c.do()
		})},
	{name: "nobody is asked who transmits an event", rule: "an event takes its steps by the SIDI roles of the guide",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			c.by = anyone("")
			return c.do()
		})},
	{name: "nobody is asked who transmits a notice", rule: "an event takes its steps by the SIDI roles of the guide",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			c.by = anyone("")
			return c.do()
		})},
	{name: "a role that is missing reads as a state", rule: "an event takes its steps by the SIDI roles of the guide",
		gateway: errorsAs(flussi.ErrRemoteForbidden, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteState })},
	{name: "why an event is rejected is not transmitted", rule: "an event that is rejected says why",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			c.reason = flussi.Text{}
			return c.do()
		})},
	{name: "an action that is none does nothing", rule: "an action that is no step of an event is refused",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			if c.action == pagoinrete.EventEdit {
				return c.there()
			}
			return c.do()
		})},
	{name: "an action that is none submits", rule: "an action that is no step of an event is refused",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			if c.action == "" {
				c.action = pagoinrete.EventSubmit
			}
			return c.do()
		})},
	{name: "notices outlive an event that is deleted", rule: "with an event that is deleted, its notices are cancelled",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				if n.State == pagoinrete.NoticeCancelled {
					n.State = pagoinrete.NoticeNotNotified
				}
			})
		}},
}

var noticeMoveBreakers = []gatewayBreaker{
	{name: "a notice that was cancelled is left out", rule: "a notice is cancelled before it is paid",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			all, err := c.do()
			return slices.DeleteFunc(all, func(n remoteNotice) bool { return n.State == pagoinrete.NoticeCancelled }), err
		})},
	{name: "proofs are not transmitted whole", rule: "a payment outside Pago In Rete is there with its proof",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) {
			c.proof.By = ""
			return c.do()
		})},
	{name: "a payment by hand has a receipt", rule: "a payment outside Pago In Rete is there with its proof",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				n.Evidence.Receipt, n.Evidence.Manual = n.Evidence.Manual, n.Evidence.Receipt
			})
		}},
	{name: "a refund replaces the payment", rule: "a refund is there with its proof",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				if !n.Evidence.Refund.IsZero() {
					n.Evidence = pagoinrete.Evidence{Refund: n.Evidence.Refund}
				}
			})
		}},
	{name: "a payment that cannot be recorded is as good as recorded", rule: "a notice takes no step that its state does not permit",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) { return c.asGoodAs(pagoinrete.NoticePayManually) })},
	{name: "a state that does not permit it reads as data that are not valid", rule: "a notice takes no step that its state does not permit",
		gateway: errorsAs(flussi.ErrRemoteState, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteInvalid })},
	{name: "a notice that was cancelled is cancelled", rule: "a notice does not take the same step twice",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) { return c.asGoodAs(pagoinrete.NoticeCancel) })},
	{name: "nobody is asked who acts with a notice", rule: "a notice takes its steps by the SIDI roles of the guide",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) {
			c.by = anyone("")
			return c.do()
		})},
	{name: "an action that is no step panics", rule: "an action that is no step of a notice is refused",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) {
			if c.action == "" {
				panic("no such action")
			}
			return c.do()
		})},
}

var readBreakers = []gatewayBreaker{
	{name: "an event that is not there is a zero value", rule: "what is not there is not found",
		gateway: func(g gateway) gateway {
			return alteredGateway{Gateway: g, event: func(ctx context.Context, id uuid.UUID) (remoteEvent, error) {
				there, err := g.Event(ctx, id)
				if errors.Is(err, flussi.ErrRemoteNotFound) {
					return remoteEvent{}, nil
				}
				return there, err
			}}
		}},
	{name: "what is not there reads as not available", rule: "what is not there is not found",
		gateway: errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Kind = flussi.ErrUnavailable })},
	{name: "Notices fails if one of them is not there", rule: "Notices returns those that are there, once each",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			all, err := c.do()
			if err == nil && len(all) < len(c.ids) && len(c.ids) > 4 {
				return nil, refusal(flussi.ErrRemoteNotFound)
			}
			return all, err
		})},
	{name: "a notice that is asked for twice comes twice", rule: "Notices returns those that are there, once each",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			var all []remoteNotice
			for _, id := range c.ids {
				one, err := c.gateway.Notices(c.ctx, []uuid.UUID{id})
				if err != nil {
					return nil, err
				}
				all = append(all, one...)
			}
			return all, nil
		})},
	{name: "what is not there is a zero notice", rule: "Notices returns those that are there, once each",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			all, err := c.do()
			for _, id := range c.ids {
				if !slices.ContainsFunc(all, func(n remoteNotice) bool { return n.ID == id }) {
					all = append(all, remoteNotice{ID: id})
				}
			}
			return all, err
		})},
	{name: "notices have the IDs in the order of the question", rule: "Notices returns those that are there, once each",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			all, err := c.do()
			for i := range min(len(all), len(c.ids)) {
				all[i].ID = c.ids[i]
			}
			return all, err
		})},
	{name: "Notices returns the first page", rule: "Notices returns as many as may be asked for",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			all, err := c.do()
			return all[:min(len(all), 100)], err
		})},
	{name: "Notices refuses more than 250", rule: "Notices returns as many as may be asked for",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			if len(c.ids) > 250 {
				return nil, refusal(flussi.ErrRemoteInvalid)
			}
			return c.do()
		})},
	{name: "Notices of none is refused", rule: "Notices of none returns none",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			if len(c.ids) == 0 {
				return nil, refusal(flussi.ErrRemoteInvalid)
			}
			return c.do()
		})},
}

var paymentBreakers = []gatewayBreaker{
	{name: "a receipt that is not there is a zero receipt", rule: "a receipt that is not there is not found",
		gateway: receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
			if errors.Is(err, flussi.ErrRemoteNotFound) {
				return pagoinrete.Receipt{}, nil
			}
			return r, err
		})},
	{name: "no payer has logged in", rule: "a payer who has logged in makes a notice of an event that is Notificato notificato",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) { n.PayerLoggedIn = false })
		}},
	{name: "a notice is Notificato when its event is", rule: "a payer who has logged in makes a notice of an event that is Notificato notificato",
		gateway: func(g gateway) gateway {
			notified := false
			return movesEvents(func(c eventMove) (remoteEvent, error) {
				notified = notified || c.action == pagoinrete.EventNotify
				return c.do()
			})(readNotices(g, func(n *remoteNotice) {
				if notified {
					n.State = pagoinrete.NoticeNotified
				}
			}))
		}},
	{name: "evidence is not read", rule: "a payment online is there with its evidence and its receipt",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) { n.Evidence = pagoinrete.Evidence{} })
		}},
	{name: "the amount of a receipt is in euro", rule: "a payment online is there with its evidence and its receipt",
		gateway: receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
			r.Amount /= 100
			return r, err
		})},
	{name: "the time of a receipt is local", rule: "a payment online is there with its evidence and its receipt",
		gateway: receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
			r.Date = r.Date.In(time.FixedZone("CET", 3600))
			return r, err
		})},
	{name: "a receipt has a reference of its own", rule: "a payment online is there with its evidence and its receipt",
		gateway: receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
			r.Reference = "RT"
			return r, err
		})},
	{name: "a notice that was paid is as good as cancelled", rule: "a notice that was paid online is refunded, and not cancelled or paid again",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) { return c.asGoodAs(pagoinrete.NoticeCancel) })},
	{name: "a payment under way reads as Notificato", rule: "a notice whose payment is under way is not cancelled or paid otherwise",
		gateway: func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				if n.State == pagoinrete.NoticeAwaitingReceipt {
					n.State = pagoinrete.NoticeNotified
				}
			})
		}},
	{name: "the outcome of a receipt is not read", rule: "a payment that came to nothing has a receipt that says so",
		gateway: receipts(func(r pagoinrete.Receipt, err error) (pagoinrete.Receipt, error) {
			r.Outcome = pagoinrete.ReceiptPaid
			return r, err
		})},
}

var pdfBreakers = []gatewayBreaker{
	{name: "the beginning of a PDF is lost", rule: "the PDF of a notice is whole",
		gateway: pdfs(func(body io.ReadCloser) io.ReadCloser {
			_, _ = io.ReadFull(body, make([]byte, 5))
			return body
		})},
	{name: "a PDF has at most 512 bytes", rule: "the PDF of a notice is whole",
		gateway: pdfs(func(body io.ReadCloser) io.ReadCloser { return readCloser{io.LimitReader(body, 512), body.Close} })},
	{name: "bytes are lost when a PDF is read in small parts", rule: "the PDF of a notice is whole",
		gateway: pdfs(func(body io.ReadCloser) io.ReadCloser {
			return readCloser{readerFunc(func(b []byte) (int, error) {
				large := make([]byte, max(len(b), 8))
				n, err := body.Read(large)
				return copy(b, large[:n]), err
			}), body.Close}
		})},
	{name: "the end of a connection is the end of a PDF", rule: "a PDF that is cut off ends with an error of reading",
		gateway: pdfs(func(body io.ReadCloser) io.ReadCloser {
			return readCloser{readerFunc(func(b []byte) (int, error) {
				n, err := body.Read(b)
				if errors.Is(err, io.ErrUnexpectedEOF) {
					err = io.EOF
				}
				return n, err
			}), body.Close}
		})},
	{name: "Close closes nothing", rule: "a PDF that is closed is released, read to its end or not",
		gateway: pdfs(func(body io.ReadCloser) io.ReadCloser { return io.NopCloser(body) })},
	{name: "a PDF is released at its end only", rule: "a PDF that is closed is released, read to its end or not",
		gateway: pdfs(func(body io.ReadCloser) io.ReadCloser {
			return readCloser{readerFunc(func(b []byte) (int, error) {
				n, err := body.Read(b)
				if errors.Is(err, io.EOF) {
					_ = body.Close()
				}
				return n, err
			}), func() error { return nil }}
		})},
	{name: "a call that asks for a receipt leaves a PDF open", rule: "a call that is over has released its reply",
		gateway: func(g gateway) gateway {
			return alteredGateway{Gateway: g, receipt: func(ctx context.Context, id uuid.UUID) (pagoinrete.Receipt, error) {
				_, _ = g.NoticePDF(ctx, id)
				return g.Receipt(ctx, id)
			}}
		}},
}

var refusalBreakers = []gatewayBreaker{
	{name: "data that are not valid are corrected", rule: "data that are not valid are refused, and change nothing",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			if c.event.Name == "" {
				c.event.Name = "senza nome"
			}
			return c.do()
		})},
	{name: "data that are not valid may be taken later", rule: "data that are not valid are refused, and change nothing",
		gateway: errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeNotDone })},
	{name: "a refusal is of two kinds", rule: "data that are not valid are refused, and change nothing",
		gateway: errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Err = flussi.ErrRemoteState })},
	{name: "a refused notice is there", rule: "data that are not valid are refused, and change nothing",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			if errors.Is(err, flussi.ErrRemoteInvalid) && c.notice.Discount == c.notice.Amount {
				c.notice.Amount, c.notice.Discount = 1, 0
				_, _ = c.do()
			}
			return there, err
		})},
	{name: "a notice of a donation is as good as put", rule: "a notice of a donation is refused",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			if errors.Is(err, flussi.ErrRemoteInvalid) {
				return there, nil
			}
			return there, err
		})},
	{name: "the school of an event does not matter", rule: "an event or a notice of another school is refused",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			c.event.School = gatewaySchool
			return c.do()
		})},
	{name: "the school of a notice does not matter", rule: "an event or a notice of another school is refused",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			c.notice.School = gatewaySchool
			return c.do()
		})},
	{name: "it shows that another school has something", rule: "a school neither reads nor changes what is another's",
		gateway: errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteForbidden })},
	{name: "credentials that are not accepted are a role that is missing", rule: "credentials that are not accepted are told apart from everything else",
		gateway: errorsAs(flussi.ErrUnauthorized, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteForbidden })},
	{name: "credentials that are not accepted may be accepted later", rule: "credentials that are not accepted are told apart from everything else",
		gateway: errorsAs(flussi.ErrUnauthorized, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeNotDone })},
}

var connectionBreakers = []gatewayBreaker{
	{name: "a call whose reply is lost was not made", rule: "a change whose reply is lost is unknown or done, and can be read back",
		gateway: errorsAs(flussi.ErrOutcomeUnknown, func(e *flussi.RemoteError) {
			e.Kind, e.Outcome = flussi.ErrUnavailable, flussi.OutcomeNotDone
		})},
	{name: "a step without a reply is taken again, and its refusal believed", rule: "a change whose reply is lost is unknown or done, and can be read back",
		gateway: func(g gateway) gateway {
			return around(g, func(ctx context.Context, method string, call func(context.Context) error) error {
				err := call(ctx)
				if errors.Is(err, flussi.ErrOutcomeUnknown) && strings.HasPrefix(method, "Move") {
					return refusal(flussi.ErrRemoteState)
				}
				return err
			})
		}},
	{name: "a notice that was put without a reply is put under another ID", rule: "what was put, and whose reply is lost, is recognised when it is put again",
		gateway: func(g gateway) gateway {
			lost := map[uuid.UUID]bool{}
			return putsNotices(func(c noticePut) (remoteNotice, error) {
				if lost[c.notice.ID] {
					return c.doAs(uuid.New())
				}
				there, err := c.do()
				lost[c.notice.ID] = errors.Is(err, flussi.ErrOutcomeUnknown)
				return there, err
			})(g)
		}},
	{name: "what cannot be asked for is not there", rule: "a call that does not reach the platform says that it was not made, or that nobody knows",
		gateway: errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteNotFound })},
	{name: "without a connection there are no notices", rule: "a call that does not reach the platform says that it was not made, or that nobody knows",
		gateway: reads(func(c noticesRead) ([]remoteNotice, error) {
			all, err := c.do()
			if errors.Is(err, flussi.ErrUnavailable) {
				return nil, nil
			}
			return all, err
		})},
	{name: "without a connection a change is refused", rule: "a call that does not reach the platform says that it was not made, or that nobody knows",
		gateway: errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeRefused })},
	{name: "a change is made although its context has ended", rule: "a context that has ended stops a call before it is made",
		gateway: putsEvents(func(c eventPut) (remoteEvent, error) {
			c.ctx = context.WithoutCancel(c.ctx)
			return c.do()
		})},
	{name: "a context that has ended leaves the outcome open", rule: "a context that has ended stops a call before it is made",
		gateway: errorsAs(flussi.ErrInterrupted, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeUnknown })},
	{name: "a context that has ended makes the platform unavailable", rule: "a context that has ended stops a call before it is made",
		gateway: errorsAs(flussi.ErrInterrupted, func(e *flussi.RemoteError) { e.Kind = flussi.ErrUnavailable })},
	{name: "a change does not end with its context", rule: "a call returns when its context ends, and a change that may have arrived is unknown",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) {
			c.ctx = context.WithoutCancel(c.ctx)
			return c.do()
		})},
	{name: "a reading does not end with its context", rule: "a call returns when its context ends, and a change that may have arrived is unknown",
		gateway: func(g gateway) gateway {
			return alteredGateway{Gateway: g, noticePDF: func(ctx context.Context, id uuid.UUID) (io.ReadCloser, error) {
				return g.NoticePDF(context.WithoutCancel(ctx), id)
			}}
		}},
	{name: "a change that its context ended was not made", rule: "a call returns when its context ends, and a change that may have arrived is unknown",
		gateway: errorsAs(flussi.ErrOutcomeUnknown, func(e *flussi.RemoteError) {
			e.Kind, e.Outcome = flussi.ErrInterrupted, flussi.OutcomeNotDone
		})},
	{name: "notices are read from a copy", rule: "a call returns when its context ends, and a change that may have arrived is unknown",
		gateway: func(g gateway) gateway {
			kept := map[uuid.UUID]remoteNotice{}
			return reads(func(c noticesRead) ([]remoteNotice, error) {
				if n, known := kept[c.ids[0]]; known {
					return []remoteNotice{n}, nil
				}
				return c.do()
			})(readNotices(g, func(n *remoteNotice) { kept[n.ID] = *n }))
		}},
}

var errorBreakers = []gatewayBreaker{
	{name: "errors have no Platform", rule: "a refusal is a RemoteError that says what was refused",
		gateway: func(g gateway) gateway { return failingAs(g, func(e *flussi.RemoteError) { e.Platform = "" }) }},
	{name: "errors have no Operation", rule: "a refusal is a RemoteError that says what was refused",
		gateway: func(g gateway) gateway { return failingAs(g, func(e *flussi.RemoteError) { e.Operation = "" }) }},
	{name: "changes have no Outcome", rule: "a refusal is a RemoteError that says what was refused",
		gateway: errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Outcome = "" })},
	{name: "readings have an Outcome", rule: "a refusal is a RemoteError that says what was refused",
		gateway: errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeRefused })},
	{name: "errors are plain errors", rule: "a refusal is a RemoteError that says what was refused",
		gateway: func(g gateway) gateway {
			return failing(g, func(err error) error { return errors.New(err.Error()) })
		}},
	{name: "failures are plain errors", rule: "a failure of the connection is a RemoteError that says what failed",
		gateway: func(g gateway) gateway {
			return failing(g, func(err error) error {
				if errors.Is(err, flussi.ErrOutcomeUnknown) {
					return errors.New("unexpected EOF")
				}
				return err
			})
		}},
	{name: "failures are of a Kind of their own", rule: "a failure of the connection is a RemoteError that says what failed",
		gateway: errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Kind = errors.New("gateway down") })},
	{name: "a refusal quotes the request", rule: "a refusal shows no personal data, no notice number and no key",
		gateway: putsNotices(func(c noticePut) (remoteNotice, error) {
			there, err := c.do()
			if err != nil {
				err = fmt.Errorf("notice of %s: %w", c.notice.Debtor.Reveal(), err)
			}
			return there, err
		})},
	{name: "a refusal shows the name in small letters", rule: "a refusal shows no personal data, no notice number and no key",
		gateway: errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Detail = "debtor rossi mariolina" })},
	{name: "a refusal tells the operator why", rule: "a refusal shows no personal data, no notice number and no key",
		gateway: movesEvents(func(c eventMove) (remoteEvent, error) {
			there, err := c.do()
			var e *flussi.RemoteError
			if errors.As(err, &e) {
				altered := *e
				altered.Reason = "Motivo: " + c.reason.Reveal()
				err = &altered
			}
			return there, err
		})},
	{name: "a failure shows the key", rule: "a failure of the connection shows no personal data, no notice number and no key",
		gateway: func(g gateway) gateway {
			return failingAs(g, func(e *flussi.RemoteError) { e.Detail = "Authorization: Bearer " + gatewayKey })
		}},
	{name: "a PDF that is cut off shows the number", rule: "a failure of the connection shows no personal data, no notice number and no key",
		gateway: func(g gateway) gateway {
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
		}},
}

// In a bubble, a moment is enough for all others to come along.
var concurrencyBreakers = []gatewayBreaker{
	{name: "of those who put an event at once all but one are refused", rule: "an event that many put at once is one",
		gateway: func(g gateway) gateway { return putsEvents(onlyOne(eventPut.do))(g) }},
	{name: "of those who put a notice at once all but one are refused", rule: "a notice that many put at once is one",
		gateway: func(g gateway) gateway { return putsNotices(onlyOne(noticePut.do))(g) }},
	{name: "who does not see a notice makes one", rule: "a notice that many put at once is one",
		gateway: func(g gateway) gateway {
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
		}},
	{name: "of many who put a notice each makes one", rule: "what many put at once is there once, by the records of the platform",
		world: madeAnew},
	{name: "the notice of a call is a field of the gateway", rule: "calls at once get the replies that are theirs",
		gateway: func(g gateway) gateway {
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
		}},
	{name: "who comes too late has done it too", rule: "of those who take a step at once, one succeeds",
		gateway: movesNotices(func(c noticeMove) (remoteNotice, error) {
			time.Sleep(brokenstore.Moment)
			return c.asGoodAs(pagoinrete.NoticeCancel)
		})},
}

// madeAnew is a world whose platform makes a notice each time that it is put, all with one ID.
func madeAnew(w *pagoinretetest.GatewayWorld) {
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
}
