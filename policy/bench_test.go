package policy_test

import (
	"testing"
	"time"

	"outrigger/policy"
	"outrigger/policy/classify"
)

func BenchmarkBudgetRequest(b *testing.B) {
	for name, step := range map[string]time.Duration{"busy": time.Microsecond, "idle": time.Minute} {
		b.Run("load:"+name, func(b *testing.B) {
			budget, now := policy.NewBudget(0.2, start), start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(step)
				budget.Request(now)
			}
		})
	}
	b.Run("load:parallel", func(b *testing.B) {
		budget := policy.NewBudget(0.2, start)
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				budget.Request(start)
			}
		})
	})
}

func BenchmarkBreaker(b *testing.B) {
	breaker := policy.NewBreaker(defaults(), false)
	b.ReportAllocs()
	for b.Loop() {
		report, err := breaker.Allow()
		if err != nil {
			b.Fatal(err)
		}
		report(classify.Success)
	}
}

func BenchmarkDecide(b *testing.B) {
	t := try(func(*policy.Try) {})
	b.ReportAllocs()
	for b.Loop() {
		if retry.Decide(t).Action != policy.Again {
			b.Fatal("no retry")
		}
	}
}
