"""What Shopify is told to do."""

from __future__ import annotations

SET_MARK = """
mutation SetMark($marks: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $marks) {
    metafields { compareDigest }
    userErrors { field message code }
  }
}
"""
DROP_MARKS = """
mutation DropMarks($marks: [MetafieldIdentifierInput!]!) {
  metafieldsDelete(metafields: $marks) { userErrors { field message } }
}
"""

CANCEL = """
mutation CancelOrder($id: ID!, $note: String!) {
  orderCancel(
    orderId: $id, reason: CUSTOMER, restock: true, notifyCustomer: true, staffNote: $note,
    refundMethod: { originalPaymentMethodsRefund: true }
  ) {
    job { id done }
    orderCancelUserErrors { field message code }
  }
}
"""
EDIT_BEGIN = """
mutation EditBegin($id: ID!) {
  orderEditBegin(id: $id) {
    calculatedOrder { id lineItems(first: 100) { nodes { id quantity } } }
    userErrors { field message }
  }
}
"""
EDIT_QUANTITY = """
mutation EditQuantity($id: ID!, $line: ID!, $quantity: Int!) {
  orderEditSetQuantity(id: $id, lineItemId: $line, quantity: $quantity, restock: true) {
    calculatedLineItem { id quantity }
    userErrors { field message }
  }
}
"""
EDIT_COMMIT = """
mutation EditCommit($id: ID!, $note: String!) {
  orderEditCommit(id: $id, notifyCustomer: true, staffNote: $note) {
    order { id }
    userErrors { field message }
  }
}
"""

RETURN = """
mutation CreateReturn($return: ReturnInput!) {
  returnCreate(returnInput: $return) {
    return { id name }
    userErrors { field message code }
  }
}
"""
NOTE = """
mutation NoteOrder($id: ID!, $note: String!, $tags: [String!]!) {
  orderUpdate(input: { id: $id, note: $note }) { order { id } userErrors { field message } }
  tagsAdd(id: $id, tags: $tags) { userErrors { field message } }
}
"""
ADDRESS = """
mutation ChangeAddress($id: ID!, $address: MailingAddressInput!) {
  orderUpdate(input: { id: $id, shippingAddress: $address }) {
    order { id }
    userErrors { field message }
  }
}
"""
CONTACT = """
mutation ChangeContact($customer: CustomerInput!) {
  customerUpdate(input: $customer) { customer { id } userErrors { field message } }
}
"""
INVOICE = """
mutation SendInvoice($id: ID!) {
  orderInvoiceSend(id: $id) { order { id } userErrors { field message code } }
}
"""
CONSENT = """
mutation Unsubscribe($consent: CustomerEmailMarketingConsentUpdateInput!) {
  customerEmailMarketingConsentUpdate(input: $consent) {
    customer { id }
    userErrors { field message code }
  }
}
"""
VOUCHER = """
mutation CreateVoucher($voucher: DiscountCodeBasicInput!) {
  discountCodeBasicCreate(basicCodeDiscount: $voucher) {
    codeDiscountNode { id }
    userErrors { field message code }
  }
}
"""

EVERY = (
    SET_MARK,
    DROP_MARKS,
    CANCEL,
    EDIT_BEGIN,
    EDIT_QUANTITY,
    EDIT_COMMIT,
    RETURN,
    NOTE,
    ADDRESS,
    CONTACT,
    INVOICE,
    CONSENT,
    VOUCHER,
)
