package loop

import "outrigger/proxy/admission"

func (x *Run) answerKind() admission.AnswerKind {
	return admission.AnswerKind{Endpoint: x.Endpoint.Name, Stream: x.Facts.Stream}
}
