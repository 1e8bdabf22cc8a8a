"""What people ask: one module a question, each answered in one transaction that sees only their areas.

A question reads rows straight into what it answers; it passes through the domain only for what the domain decides
(who may act, what is due next). Every answer is made for the officer who asks: numbers of persons are masked.
"""
