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
type gatewayBreaker = brokenstore.Breaker[pagoinretetest.GatewayEnvironment]

// each breaks each gateway of a world.
func each(broken func(gateway) gateway) func(pagoinretetest.GatewayEnvironment) pagoinretetest.GatewayEnvironment {
	return func(w pagoinretetest.GatewayEnvironment) pagoinretetest.GatewayEnvironment {
		w.Gateway, w.Unauthorized, w.OtherGateway = broken(w.Gateway), broken(w.Unauthorized), broken(w.OtherGateway)
		return w
	}
}

var gatewayBreakers = slices.Concat(
	putBreakers, eventMoveBreakers, noticeMoveBreakers, readBreakers, paymentBreakers, pdfBreakers, refusalBreakers,
	connectionBreakers, errorBreakers, concurrencyBreakers, mixingBreakers(),
)

var putBreakers = []gatewayBreaker{
	{"a new event has no RemoteID", "an event that is put is there, as Simulato",
		each(returns("PutEvent", func(c call, r *reply) {
			r.event.RemoteID = ""
		}))},
	{"what is read of an event has another ID", "an event that is put is there, as Simulato",
		each(returns("Event", func(c call, r *reply) {
			r.event.ID = uuid.Nil
		}))},
	{"donations are not transmitted", "an event that is put is there, as Simulato",
		each(on("PutEvent", func(c call) reply {
			if c.event.Kind == pagoinrete.Donation {
				return reply{event: remoteEvent{ID: c.event.ID, RemoteID: "EV-0", State: pagoinrete.EventSimulated}}
			}
			return c.do()
		}))},
	{"an event that is put again gets another RemoteID", "an event that is put again is the same one",
		each(func(g gateway) gateway {
			puts := 0
			return returns("PutEvent", func(c call, r *reply) {
				puts++
				r.event.RemoteID += fmt.Sprint("/", puts)
			})(g)
		})},
	{"an event that is put again is refused", "an event that is put again is the same one",
		each(on("PutEvent", func(c call) reply {
			if c.there().err == nil {
				return reply{err: refusal(flussi.ErrRemoteState)}
			}
			return c.do()
		}))},
	{"an event that was rejected is Simulato again when it is put", "an event that is put again is the same one",
		each(returns("PutEvent", func(c call, r *reply) {
			r.event.State = pagoinrete.EventSimulated
		}))},
	{"an event that is there is not transmitted again", "an event that is put again has the new data",
		each(on("PutEvent", func(c call) reply {
			if r := c.there(); r.err == nil {
				return r
			}
			return c.do()
		}))},
	{"an event that cannot be replaced is as good as replaced", "an event is not replaced in another state than Simulato or Rifiutato",
		each(on("PutEvent", func(c call) reply {
			r := c.do()
			if isState(r.err) {
				return c.there()
			}
			return r
		}))},
	{"a number has wrong check digits", "a notice that is put is there, as Non notificato, with a number",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				digits := []byte(n.Number.Reveal())
				digits[17] = '0' + (digits[17]-'0'+1)%10
				n.Number, _ = flussi.ParseNoticeNumber(string(digits))
			})
		})},
	{"a new notice is Notificato", "a notice that is put is there, as Non notificato, with a number",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) { n.State = pagoinrete.NoticeNotified })
		})},
	{"the reply to a new notice has no number", "a notice that is put is there, as Non notificato, with a number",
		each(returns("PutNotice", func(c call, r *reply) {
			r.notice.Number = flussi.NoticeNumber{}
		}))},
	{"a notice that is put again gets another number", "a notice that is put again is the same one",
		each(func(g gateway) gateway {
			var last flussi.NoticeNumber
			return returns("PutNotice", func(c call, r *reply) {
				last, r.notice.Number = r.notice.Number, last
			})(g)
		})},
	{"a notice that is put again is a new one", "a notice that is put again is the same one",
		each(on("PutNotice", func(c call) reply {
			if c.there().err == nil {
				return c.doAs(uuid.New())
			}
			return c.do()
		}))},
	{"a notice that is there is not transmitted again", "a notice that is put again has the new data",
		each(on("PutNotice", func(c call) reply {
			if r := c.there(); r.err == nil {
				return r
			}
			return c.do()
		}))},
	{"the amount is transmitted without the discount", "a notice that is put again has the new data",
		each(sends("PutNotice", func(c *call) {
			c.notice.Discount = 0
		}))},
	{"the transfers of a notice are lost", "a notice is put with its transfers, which add up to what is due",
		each(sends("PutNotice", func(c *call) {
			c.notice.Transfers = pagoinrete.Transfers{}
		}))},
	{"a notice with transfers to others is refused", "a notice is put with its transfers, which add up to what is due",
		each(on("PutNotice", func(c call) reply {
			if !c.notice.Transfers[1].Beneficiary.IsZero() {
				return reply{err: refusal(flussi.ErrRemoteInvalid)}
			}
			return c.do()
		}))},
	{"a notice that cannot be put is as good as put", "a notice is not put unless its event is Simulato or Rifiutato",
		each(forgives("PutNotice", flussi.ErrRemoteState))},
	{"a notice that was cancelled is put under another ID", "a notice that was cancelled is not put again",
		each(on("PutNotice", func(c call) reply {
			r := c.do()
			if isState(r.err) {
				return c.doAs(uuid.New())
			}
			return r
		}))},
	{"all notices of an event have one number", "no two notices have the same number",
		each(func(g gateway) gateway {
			numbers := map[uuid.UUID]flussi.NoticeNumber{}
			return returns("PutNotice", func(c call, r *reply) {
				if numbers[c.notice.EventID].IsZero() {
					numbers[c.notice.EventID] = r.notice.Number
				}
				r.notice.Number = numbers[c.notice.EventID]
			})(g)
		})},
	{"a notice that is put again is made anew", "what is put again is there once, by the records of the platform",
		madeAnew},
}

var eventMoveBreakers = []gatewayBreaker{
	{"a step returns the event as it was before", "an event takes the steps of the guide",
		each(on("MoveEvent", func(c call) reply {
			before := c.there()
			if r := c.do(); r.err != nil {
				return r
			}
			return before
		}))},
	{"an approval is a rejection", "an event takes the steps of the guide",
		each(sends("MoveEvent", func(c *call) {
			if c.action == pagoinrete.EventApprove {
				c.action = pagoinrete.EventReject
			}
		}))},
	{"the DSGA may not act", "an event takes the steps of the guide",
		each(sends("MoveEvent", func(c *call) {
			if c.by.Has(flussi.AdminDirector) {
				c.by.Roles = nil
			}
		}))},
	{"an event that cannot be deleted is as good as deleted", "an event takes no step that its state does not permit",
		each(on("MoveEvent", func(c call) reply {
			r := c.do()
			if c.action == pagoinrete.EventDelete && isState(r.err) {
				return c.there()
			}
			return r
		}))},
	{"an event is submitted before it is approved", "an event takes no step that its state does not permit",
		each(sends("MoveEvent", func(c *call) {
			if c.action == pagoinrete.EventApprove {
				first := *c
				first.action, first.by = pagoinrete.EventSubmit, anyone(pagoinrete.EventSubmit)
				first.do()
			}
		}))},
	{"an event that was submitted is submitted", "an event does not take the same step twice",
		each(on("MoveEvent", func(c call) reply {
			r := c.do()
			if c.action == pagoinrete.EventSubmit && isState(r.err) {
				return c.there()
			}
			return r
		}))},
	{"nobody is asked who acts with an event", "an event takes its steps by the SIDI roles of the guide",
		each(sends("MoveEvent", func(c *call) {
			c.by = anyone(c.action)
		}))},
	{"nobody is asked who transmits an event", "an event takes its steps by the SIDI roles of the guide",
		each(sends("PutEvent", func(c *call) {
			c.by = anyone("")
		}))},
	{"nobody is asked who transmits a notice", "an event takes its steps by the SIDI roles of the guide",
		each(sends("PutNotice", func(c *call) {
			c.by = anyone("")
		}))},
	{"a role that is missing reads as a state", "an event takes its steps by the SIDI roles of the guide",
		each(errorsAs(flussi.ErrRemoteForbidden, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteState }))},
	{"why an event is rejected is not transmitted", "an event that is rejected says why",
		each(sends("MoveEvent", func(c *call) {
			c.reason = flussi.Text{}
		}))},
	{"why an event is rejected is cut at 255 characters", "an event that is rejected says why",
		each(sends("MoveEvent", func(c *call) {
			reason := []rune(c.reason.Reveal())
			c.reason = flussi.NewText(string(reason[:min(len(reason), 255)]))
		}))},
	{"the lines of why an event is rejected run together", "an event that is rejected says why",
		each(sends("MoveEvent", func(c *call) {
			c.reason = flussi.NewText(strings.ReplaceAll(c.reason.Reveal(), "\n", ""))
		}))},
	{"an action that is none does nothing", "an action that is no step of an event is refused",
		each(on("MoveEvent", func(c call) reply {
			if c.action == pagoinrete.EventEdit {
				return c.there()
			}
			return c.do()
		}))},
	{"an action that is none submits", "an action that is no step of an event is refused",
		each(sends("MoveEvent", func(c *call) {
			if c.action == "" {
				c.action = pagoinrete.EventSubmit
			}
		}))},
	{"notices outlive an event that is deleted", "with an event that is deleted, its notices are cancelled",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				if n.State == pagoinrete.NoticeCancelled {
					n.State = pagoinrete.NoticeNotNotified
				}
			})
		})},
}

var noticeMoveBreakers = []gatewayBreaker{
	{"a notice that was cancelled is left out", "a notice is cancelled before it is paid",
		each(returns("Notices", func(c call, r *reply) {
			r.notices = slices.DeleteFunc(r.notices, func(n remoteNotice) bool { return n.State == pagoinrete.NoticeCancelled })
		}))},
	{"proofs are not transmitted whole", "a payment outside Pago In Rete is there with its proof",
		each(sends("MoveNotice", func(c *call) {
			c.proof.By = ""
		}))},
	{"a payment by hand has a receipt", "a payment outside Pago In Rete is there with its proof",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				n.Evidence.Receipt, n.Evidence.Manual = n.Evidence.Manual, n.Evidence.Receipt
			})
		})},
	{"the reference of a payment is cut at 35 characters", "a payment outside Pago In Rete is there with its proof",
		each(cutReferences)},
	{"the amount of a payment is an int32", "a payment outside Pago In Rete is there with its proof",
		each(sends("MoveNotice", func(c *call) {
			c.proof.Amount = asInt32(c.proof.Amount)
		}))},
	{"the reference of a refund is cut at 35 characters", "a refund is there with its proof",
		each(cutReferences)},
	{"a refund replaces the payment", "a refund is there with its proof",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				if !n.Evidence.Refund.IsZero() {
					n.Evidence = pagoinrete.Evidence{Refund: n.Evidence.Refund}
				}
			})
		})},
	{"a payment that cannot be recorded is as good as recorded", "a notice takes no step that its state does not permit",
		each(on("MoveNotice", func(c call) reply { return c.asGoodAs(pagoinrete.NoticePayManually) }))},
	{"a state that does not permit it reads as data that are not valid", "a notice takes no step that its state does not permit",
		each(errorsAs(flussi.ErrRemoteState, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteInvalid }))},
	{"a notice that was cancelled is cancelled", "a notice does not take the same step twice",
		each(on("MoveNotice", func(c call) reply { return c.asGoodAs(pagoinrete.NoticeCancel) }))},
	{"nobody is asked who acts with a notice", "a notice takes its steps by the SIDI roles of the guide",
		each(sends("MoveNotice", func(c *call) {
			c.by = anyone("")
		}))},
	{"an action that is no step panics", "an action that is no step of a notice is refused",
		each(sends("MoveNotice", func(c *call) {
			if c.step == "" {
				panic("no such action")
			}
		}))},
}

var readBreakers = []gatewayBreaker{
	{"an event that is not there is a zero value", "what is not there is not found",
		each(forgives("Event", flussi.ErrRemoteNotFound))},
	{"what is not there reads as not available", "what is not there is not found",
		each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Kind = flussi.ErrUnavailable }))},
	{"Notices fails if one of them is not there", "Notices returns those that are there, once each",
		each(on("Notices", func(c call) reply {
			r := c.do()
			if r.err == nil && len(r.notices) < len(c.ids) && len(c.ids) > 4 {
				return reply{err: refusal(flussi.ErrRemoteNotFound)}
			}
			return r
		}))},
	{"a notice that is asked for twice comes twice", "Notices returns those that are there, once each",
		each(on("Notices", func(c call) reply {
			var all reply
			for _, id := range c.ids {
				c.ids = []uuid.UUID{id}
				one := c.do()
				if one.err != nil {
					return one
				}
				all.notices = append(all.notices, one.notices...)
			}
			return all
		}))},
	{"what is not there is a zero notice", "Notices returns those that are there, once each",
		each(returns("Notices", func(c call, r *reply) {
			for _, id := range c.ids {
				if !slices.ContainsFunc(r.notices, func(n remoteNotice) bool { return n.ID == id }) {
					r.notices = append(r.notices, remoteNotice{ID: id})
				}
			}
		}))},
	{"notices have the IDs in the order of the question", "Notices returns those that are there, once each",
		each(returns("Notices", func(c call, r *reply) {
			for i := range min(len(r.notices), len(c.ids)) {
				r.notices[i].ID = c.ids[i]
			}
		}))},
	{"Notices returns the first page", "Notices returns as many as may be asked for",
		each(returns("Notices", func(c call, r *reply) {
			r.notices = r.notices[:min(len(r.notices), 100)]
		}))},
	{"Notices refuses more than 250", "Notices returns as many as may be asked for",
		each(on("Notices", func(c call) reply {
			if len(c.ids) > 250 {
				return reply{err: refusal(flussi.ErrRemoteInvalid)}
			}
			return c.do()
		}))},
	{"Notices of none is refused", "Notices of none returns none",
		each(on("Notices", func(c call) reply {
			if len(c.ids) == 0 {
				return reply{err: refusal(flussi.ErrRemoteInvalid)}
			}
			return c.do()
		}))},
}

var paymentBreakers = []gatewayBreaker{
	{"a receipt that is not there is a zero receipt", "a receipt that is not there is not found",
		each(forgives("Receipt", flussi.ErrRemoteNotFound))},
	{"no payer has logged in", "a payer who has logged in makes a notice of an event that is Notificato notificato",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) { n.PayerLoggedIn = false })
		})},
	{"a notice is Notificato when its event is", "a payer who has logged in makes a notice of an event that is Notificato notificato",
		each(func(g gateway) gateway {
			notified := false
			return sends("MoveEvent", func(c *call) {
				notified = notified || c.action == pagoinrete.EventNotify
			})(readNotices(g, func(n *remoteNotice) {
				if notified {
					n.State = pagoinrete.NoticeNotified
				}
			}))
		})},
	{"evidence is not read", "a payment online is there with its evidence and its receipt",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) { n.Evidence = pagoinrete.Evidence{} })
		})},
	{"the amount of a receipt is in euro", "a payment online is there with its evidence and its receipt",
		each(returns("Receipt", func(c call, r *reply) {
			r.receipt.Amount /= 100
		}))},
	{"the time of a receipt is local", "a payment online is there with its evidence and its receipt",
		each(returns("Receipt", func(c call, r *reply) {
			r.receipt.Date = r.receipt.Date.In(time.FixedZone("CET", 3600))
		}))},
	{"a receipt has a reference of its own", "a payment online is there with its evidence and its receipt",
		each(returns("Receipt", func(c call, r *reply) {
			r.receipt.Reference = "RT"
		}))},
	{"a receipt is that of the notice that was asked for first", "a payment online is there with its evidence and its receipt",
		each(firstOf("Receipt"))},
	{"the date of a receipt is a day late", "a payment online is there with its evidence and its receipt",
		each(returns("Receipt", func(c call, r *reply) {
			r.receipt.Date = r.receipt.Date.AddDate(0, 0, 1)
		}))},
	{"a receipt does not say who collected the payment", "a payment online is there with its evidence and its receipt",
		each(returns("Receipt", func(c call, r *reply) {
			r.receipt.PSP = ""
		}))},
	{"all receipts have one reference", "a payment online is there with its evidence and its receipt",
		each(func(g gateway) gateway {
			return returns("Receipt", func(c call, r *reply) {
				r.receipt.Reference = "RT"
			})(readNotices(g, func(n *remoteNotice) {
				if !n.Evidence.Receipt.IsZero() {
					n.Evidence.Receipt.Reference = "RT"
				}
			}))
		})},
	{"the amount of a notice is an int32", "a payment online is there with its evidence and its receipt",
		each(sends("PutNotice", func(c *call) {
			c.notice.Amount = asInt32(c.notice.Amount)
		}))},
	{"the amount of a receipt is an int32", "a payment online is there with its evidence and its receipt",
		each(returns("Receipt", func(c call, r *reply) {
			r.receipt.Amount = asInt32(r.receipt.Amount)
		}))},
	{"a notice that was paid is as good as cancelled", "a notice that was paid online is refunded, and not cancelled or paid again",
		each(on("MoveNotice", func(c call) reply { return c.asGoodAs(pagoinrete.NoticeCancel) }))},
	{"a payment under way reads as Notificato", "a notice whose payment is under way is not cancelled or paid otherwise",
		each(func(g gateway) gateway {
			return readNotices(g, func(n *remoteNotice) {
				if n.State == pagoinrete.NoticeAwaitingReceipt {
					n.State = pagoinrete.NoticeNotified
				}
			})
		})},
	{"the outcome of a receipt is not read", "a payment that came to nothing has a receipt that says so",
		each(returns("Receipt", func(c call, r *reply) {
			r.receipt.Outcome = pagoinrete.ReceiptPaid
		}))},
}

var pdfBreakers = []gatewayBreaker{
	{"the beginning of a PDF is lost", "the PDF of a notice is whole",
		each(pdfs(func(body io.ReadCloser) io.ReadCloser {
			_, _ = io.ReadFull(body, make([]byte, 5))
			return body
		}))},
	{"a PDF has at most 512 bytes", "the PDF of a notice is whole",
		each(pdfs(func(body io.ReadCloser) io.ReadCloser { return readCloser{io.LimitReader(body, 512), body.Close} }))},
	{"bytes are lost when a PDF is read in small parts", "the PDF of a notice is whole",
		each(pdfs(func(body io.ReadCloser) io.ReadCloser {
			return readCloser{readerFunc(func(b []byte) (int, error) {
				large := make([]byte, max(len(b), 8))
				n, err := body.Read(large)
				return copy(b, large[:n]), err
			}), body.Close}
		}))},
	{"a PDF is that of the notice that was asked for first", "different notices have different PDFs",
		each(firstOf("NoticePDF"))},
	{"the end of a connection is the end of a PDF", "a PDF that is cut off ends with an error of reading",
		each(pdfs(func(body io.ReadCloser) io.ReadCloser {
			return readCloser{readerFunc(func(b []byte) (int, error) {
				n, err := body.Read(b)
				if errors.Is(err, io.ErrUnexpectedEOF) {
					err = io.EOF
				}
				return n, err
			}), body.Close}
		}))},
	{"Close closes nothing", "a PDF that is closed is released, read to its end or not",
		each(pdfs(func(body io.ReadCloser) io.ReadCloser { return io.NopCloser(body) }))},
	{"a PDF is released at its end only", "a PDF that is closed is released, read to its end or not",
		each(pdfs(func(body io.ReadCloser) io.ReadCloser {
			return readCloser{readerFunc(func(b []byte) (int, error) {
				n, err := body.Read(b)
				if errors.Is(err, io.EOF) {
					_ = body.Close()
				}
				return n, err
			}), func() error { return nil }}
		}))},
	{"a call that asks for a receipt leaves a PDF open", "a call that is over has released its reply",
		each(sends("Receipt", func(c *call) {
			_, _ = c.gateway.NoticePDF(c.ctx, c.id)
		}))},
}

var refusalBreakers = []gatewayBreaker{
	{"data that are not valid are corrected", "data that are not valid are refused, and change nothing",
		each(sends("PutEvent", func(c *call) {
			if c.event.Name == "" {
				c.event.Name = "senza nome"
			}
		}))},
	{"data that are not valid may be taken later", "data that are not valid are refused, and change nothing",
		each(errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeNotDone }))},
	{"a refusal is of two kinds", "data that are not valid are refused, and change nothing",
		each(errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Err = flussi.ErrRemoteState }))},
	{"a refused notice is there", "data that are not valid are refused, and change nothing",
		each(returns("PutNotice", func(c call, r *reply) {
			if errors.Is(r.err, flussi.ErrRemoteInvalid) && c.notice.Discount == c.notice.Amount {
				c.notice.Amount, c.notice.Discount = 1, 0
				c.do()
			}
		}))},
	{"a notice of a donation is as good as put", "a notice of a donation is refused",
		each(forgives("PutNotice", flussi.ErrRemoteInvalid))},
	{"the school of an event does not matter", "an event or a notice of another school is refused",
		each(sends("PutEvent", func(c *call) {
			c.event.School = gatewaySchool
		}))},
	{"the school of a notice does not matter", "an event or a notice of another school is refused",
		each(sends("PutNotice", func(c *call) {
			c.notice.School = gatewaySchool
		}))},
	{"it shows that another school has something", "a school neither reads nor changes what is another's",
		each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteForbidden }))},
	{"credentials that are not accepted are a role that is missing", "credentials that are not accepted are told apart from everything else",
		each(errorsAs(flussi.ErrUnauthorized, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteForbidden }))},
	{"credentials that are not accepted may be accepted later", "credentials that are not accepted are told apart from everything else",
		each(errorsAs(flussi.ErrUnauthorized, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeNotDone }))},
}

var connectionBreakers = []gatewayBreaker{
	{"a call whose reply is lost was not made", "a change whose reply is lost is unknown or done, and can be read back",
		each(errorsAs(flussi.ErrOutcomeUnknown, func(e *flussi.RemoteError) {
			e.Kind, e.Outcome = flussi.ErrUnavailable, flussi.OutcomeNotDone
		}))},
	{"a step without a reply is taken again, and its refusal believed", "a change whose reply is lost is unknown or done, and can be read back",
		each(func(g gateway) gateway {
			return alteredGateway{g, func(c call) reply {
				r := c.do()
				if errors.Is(r.err, flussi.ErrOutcomeUnknown) && strings.HasPrefix(c.method, "Move") {
					return reply{err: refusal(flussi.ErrRemoteState)}
				}
				return r
			}}
		})},
	{"a notice that was put without a reply is put under another ID", "what was put, and whose reply is lost, is recognised when it is put again",
		each(func(g gateway) gateway {
			lost := map[uuid.UUID]bool{}
			return on("PutNotice", func(c call) reply {
				if lost[c.notice.ID] {
					return c.doAs(uuid.New())
				}
				r := c.do()
				lost[c.notice.ID] = errors.Is(r.err, flussi.ErrOutcomeUnknown)
				return r
			})(g)
		})},
	{"what cannot be asked for is not there", "a call that does not reach the platform says that it was not made, or that nobody knows",
		each(errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Kind = flussi.ErrRemoteNotFound }))},
	{"without a connection there are no notices", "a call that does not reach the platform says that it was not made, or that nobody knows",
		each(forgives("Notices", flussi.ErrUnavailable))},
	{"without a connection a change is refused", "a call that does not reach the platform says that it was not made, or that nobody knows",
		each(errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeRefused }))},
	{"a change is made although its context has ended", "a context that has ended stops a call before it is made",
		each(sends("PutEvent", func(c *call) {
			c.ctx = context.WithoutCancel(c.ctx)
		}))},
	{"a context that has ended leaves the outcome open", "a context that has ended stops a call before it is made",
		each(errorsAs(flussi.ErrInterrupted, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeUnknown }))},
	{"a context that has ended makes the platform unavailable", "a context that has ended stops a call before it is made",
		each(errorsAs(flussi.ErrInterrupted, func(e *flussi.RemoteError) { e.Kind = flussi.ErrUnavailable }))},
	{"a change does not end with its context", "a call returns when its context ends, and a change that may have arrived is unknown",
		each(sends("MoveNotice", func(c *call) {
			c.ctx = context.WithoutCancel(c.ctx)
		}))},
	{"a reading does not end with its context", "a call returns when its context ends, and a change that may have arrived is unknown",
		each(sends("NoticePDF", func(c *call) {
			c.ctx = context.WithoutCancel(c.ctx)
		}))},
	{"a change that its context ended was not made", "a call returns when its context ends, and a change that may have arrived is unknown",
		each(errorsAs(flussi.ErrOutcomeUnknown, func(e *flussi.RemoteError) {
			e.Kind, e.Outcome = flussi.ErrInterrupted, flussi.OutcomeNotDone
		}))},
	{"notices are read from a copy", "a call returns when its context ends, and a change that may have arrived is unknown",
		each(func(g gateway) gateway {
			kept := map[uuid.UUID]remoteNotice{}
			return on("Notices", func(c call) reply {
				if n, known := kept[c.ids[0]]; known {
					return reply{notices: []remoteNotice{n}}
				}
				return c.do()
			})(readNotices(g, func(n *remoteNotice) { kept[n.ID] = *n }))
		})},
}

var errorBreakers = []gatewayBreaker{
	{"errors have no Platform", "a refusal is a RemoteError that says what was refused",
		each(func(g gateway) gateway { return failingAs(g, func(e *flussi.RemoteError) { e.Platform = "" }) })},
	{"errors have no Operation", "a refusal is a RemoteError that says what was refused",
		each(func(g gateway) gateway { return failingAs(g, func(e *flussi.RemoteError) { e.Operation = "" }) })},
	{"changes have no Outcome", "a refusal is a RemoteError that says what was refused",
		each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Outcome = "" }))},
	{"readings have an Outcome", "a refusal is a RemoteError that says what was refused",
		each(errorsAs(flussi.ErrRemoteNotFound, func(e *flussi.RemoteError) { e.Outcome = flussi.OutcomeRefused }))},
	{"errors are plain errors", "a refusal is a RemoteError that says what was refused",
		each(func(g gateway) gateway {
			return failing(g, func(err error) error { return errors.New(err.Error()) })
		})},
	{"failures are plain errors", "a failure of the connection is a RemoteError that says what failed",
		each(func(g gateway) gateway {
			return failing(g, func(err error) error {
				if errors.Is(err, flussi.ErrOutcomeUnknown) {
					return errors.New("unexpected EOF")
				}
				return err
			})
		})},
	{"failures are of a Kind of their own", "a failure of the connection is a RemoteError that says what failed",
		each(errorsAs(flussi.ErrUnavailable, func(e *flussi.RemoteError) { e.Kind = errors.New("gateway down") }))},
	{"a refusal quotes the request", "a refusal shows no personal data, no notice number and no key",
		each(returns("PutNotice", func(c call, r *reply) {
			if r.err != nil {
				r.err = fmt.Errorf("notice of %s: %w", c.notice.Debtor.Reveal(), r.err)
			}
		}))},
	{"a refusal shows the name in small letters", "a refusal shows no personal data, no notice number and no key",
		each(errorsAs(flussi.ErrRemoteInvalid, func(e *flussi.RemoteError) { e.Detail = "debtor rossi mariolina" }))},
	{"a refusal tells the operator why", "a refusal shows no personal data, no notice number and no key",
		each(returns("MoveEvent", func(c call, r *reply) {
			var e *flussi.RemoteError
			if errors.As(r.err, &e) {
				altered := *e
				altered.Reason = "Motivo: " + c.reason.Reveal()
				r.err = &altered
			}
		}))},
	{"a failure shows the key", "a failure of the connection shows no personal data, no notice number and no key",
		each(func(g gateway) gateway {
			return failingAs(g, func(e *flussi.RemoteError) { e.Detail = "Authorization: Bearer " + gatewayKey })
		})},
	{"a PDF that is cut off shows the number", "a failure of the connection shows no personal data, no notice number and no key",
		each(func(g gateway) gateway {
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
	{"of those who put an event at once all but one are refused", "an event that many put at once is one",
		each(onlyOne("PutEvent"))},
	{"of those who put a notice at once all but one are refused", "a notice that many put at once is one",
		each(onlyOne("PutNotice"))},
	{"who does not see a notice makes one", "a notice that many put at once is one",
		each(func(g gateway) gateway {
			var mu sync.Mutex
			made := map[uuid.UUID]bool{}
			return on("PutNotice", func(c call) reply {
				known := c.there().err == nil
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
	{"of many who put a notice each makes one", "what many put at once is there once, by the records of the platform",
		madeAnew},
	{"the notice of a call is a field of the gateway", "calls at once get the replies that are theirs",
		each(func(g gateway) gateway {
			var mu sync.Mutex
			var current pagoinrete.Notice
			return sends("PutNotice", func(c *call) {
				mu.Lock()
				current = c.notice
				mu.Unlock()
				time.Sleep(brokenstore.Moment)
				mu.Lock()
				c.notice = current
				mu.Unlock()
			})(g)
		})},
	{"who comes too late has done it too", "of those who take a step at once, one succeeds",
		each(on("MoveNotice", func(c call) reply {
			time.Sleep(brokenstore.Moment)
			return c.asGoodAs(pagoinrete.NoticeCancel)
		}))},
}

// mixingBreakers answer about something else than what they were asked about.
func mixingBreakers() (all []gatewayBreaker) {
	for _, b := range []struct{ method, rule string }{
		{"PutEvent", "an event that is put is there, as Simulato"},
		{"Event", "an event that is put is there, as Simulato"},
		{"MoveEvent", "an event takes the steps of the guide"},
		{"PutNotice", "a notice that is put is there, as Non notificato, with a number"},
		{"Notices", "a notice that is put is there, as Non notificato, with a number"},
		{"MoveNotice", "a notice is cancelled before it is paid"},
	} {
		all = append(all,
			gatewayBreaker{b.method + " answers about another ID", b.rule, each(returns(b.method, func(_ call, r *reply) {
				if r.err == nil {
					r.name(uuid.New())
				}
			}))},
			gatewayBreaker{b.method + " answers with what it said of another", b.rule, each(saysOfAnother(b.method))},
		)
	}
	return all
}

// cutReferences cuts the references of proofs at 35 characters.
func cutReferences(g gateway) gateway {
	return sends("MoveNotice", func(c *call) {
		c.proof.Reference = c.proof.Reference[:min(len(c.proof.Reference), 35)]
	})(g)
}

// asInt32 is an amount that goes through an int32.
func asInt32(amount flussi.Cents) flussi.Cents { return flussi.Cents(int32(amount)) }

// madeAnew is a world whose platform makes a notice each time that it is put, all with one ID.
func madeAnew(w pagoinretetest.GatewayEnvironment) pagoinretetest.GatewayEnvironment {
	var mu sync.Mutex
	made := map[uuid.UUID]int{}
	count := w.Count
	w.Gateway = sends("PutNotice", func(c *call) {
		mu.Lock()
		made[c.notice.ID]++
		mu.Unlock()
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
