"""PAID: rate cards to invoices, invoices to a total, the total to contact types."""

from ccsim.economics.contracts import GroupUsage, InvoiceLine, bill, bill_in_house, bill_partner
from ccsim.economics.costs import Amount, CostBreakdown, TypeCost, price
from ccsim.economics.money import MILLIONTHS
from ccsim.economics.paid import PaidChain, loaded_hour, paid_chain, paid_time, schedule_cost

__all__ = [
    "MILLIONTHS",
    "Amount",
    "CostBreakdown",
    "GroupUsage",
    "InvoiceLine",
    "PaidChain",
    "TypeCost",
    "bill",
    "bill_in_house",
    "bill_partner",
    "loaded_hour",
    "paid_chain",
    "paid_time",
    "price",
    "schedule_cost",
]
