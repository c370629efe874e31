"""What is asked of Shopify. The numbers after ``first`` keep each query below 1,000 points, the most
that one may cost; where there is more, `REST` asks for it."""

from __future__ import annotations

FACTS = """
query Facts {
  shop { name myshopifyDomain currencyCode ianaTimezone }
  currentAppInstallation { id accessScopes { handle } }
}
"""

FIND_ORDER = """
query FindOrder($search: String!) {
  orders(first: 10, query: $search, sortKey: PROCESSED_AT, reverse: true) { nodes { id name } }
}
"""

LINES = """
  nodes {
    id title variantTitle quantity currentQuantity unfulfilledQuantity isGiftCard requiresShipping
    discountedUnitPriceAfterAllDiscountsSet { presentmentMoney { amount currencyCode } }
  }
  pageInfo { hasNextPage endCursor }
"""
SENT = """
  nodes { quantity lineItem { id } }
  pageInfo { hasNextPage endCursor }
"""
COMING_BACK = """
  nodes {
    quantity refundedQuantity returnReasonNote
    ... on ReturnLineItem { fulfillmentLineItem { lineItem { id } } }
    ... on UnverifiedReturnLineItem { lineItem { id } }
  }
  pageInfo { hasNextPage endCursor }
"""
PAID_BACK = """
  nodes { quantity restockType lineItem { id } }
  pageInfo { hasNextPage endCursor }
"""
PARCEL = (
    "id createdAt inTransitAt deliveredAt estimatedDeliveryAt displayStatus"
    " trackingInfo(first: 1) { company number url }"
    f" fulfillmentLineItems(first: 15) {{ {SENT} }}"
)
PARCELS = 6  # that come with an order; more are fetched by `MORE_PARCELS`

ORDER = f"""
query Order($id: ID!) {{
  order(id: $id) {{
    id name email phone note tags createdAt processedAt cancelledAt
    canNotifyCustomer fullyPaid displayFulfillmentStatus
    cancellation {{ staffNote }}
    customer {{ id }}
    shippingAddress {{
      name firstName lastName address1 address2 city zip provinceCode countryCodeV2 phone
    }}
    shippingLine {{ title discountedPriceSet {{ presentmentMoney {{ amount currencyCode }} }} }}
    totalPriceSet {{ presentmentMoney {{ amount currencyCode }} }}
    lineItems(first: 50) {{ {LINES} }}
    fulfillments(first: {PARCELS}) {{ {PARCEL} }}
    fulfillmentOrders(first: 5) {{
      nodes {{ status deliveryMethod {{ methodType maxDeliveryDateTime }} }}
    }}
    returns(first: 5, reverse: true) {{
      nodes {{
        id name status createdAt closedAt
        exchangeLineItems(first: 1) {{ nodes {{ id }} }}
        returnLineItems(first: 10) {{ {COMING_BACK} }}
        reverseFulfillmentOrders(first: 1) {{
          nodes {{
            status
            lineItems(first: 1) {{ nodes {{ dispositions {{ createdAt }} }} }}
            reverseDeliveries(first: 1) {{
              nodes {{
                deliverable {{
                  ... on ReverseDeliveryShippingDeliverable {{ label {{ publicFileUrl }} }}
                }}
              }}
            }}
          }}
        }}
      }}
    }}
    refunds(first: 5) {{
      id createdAt return {{ id }}
      totalRefundedSet {{ presentmentMoney {{ amount currencyCode }} }}
      refundLineItems(first: 10) {{ {PAID_BACK} }}
      transactions(first: 3) {{
        nodes {{ kind status formattedGateway accountNumber processedAt }}
      }}
    }}
  }}
}}
"""

MORE_PARCELS = f"""
query MoreParcels($id: ID!) {{
  order(id: $id) {{ fulfillments(first: 25) {{ {PARCEL} }} }}
}}
"""


def rest(kind: str, field: str, selection: str) -> str:
    """A further page of what belongs to something: of ``Order`` its ``lineItems``, say."""
    return f"""
query Rest{kind}($id: ID!, $after: String!) {{
  node(id: $id) {{ ... on {kind} {{ {field}(first: 100, after: $after) {{ {selection} }} }} }}
}}
"""


REST = {
    "lineItems": rest("Order", "lineItems", LINES),
    "fulfillmentLineItems": rest("Fulfillment", "fulfillmentLineItems", SENT),
    "returnLineItems": rest("Return", "returnLineItems", COMING_BACK),
    "refundLineItems": rest("Refund", "refundLineItems", PAID_BACK),
}

CUSTOMER_FIELDS = """
  id displayName
  defaultEmailAddress { emailAddress marketingState }
  defaultPhoneNumber { phoneNumber }
"""
CUSTOMER = f"""
query Customer($id: ID!) {{ customer(id: $id) {{ {CUSTOMER_FIELDS} }} }}
"""
FIND_CUSTOMER = f"""
query FindCustomer($by: CustomerIdentifierInput!) {{
  customerByIdentifier(identifier: $by) {{ {CUSTOMER_FIELDS} }}
}}
"""
ORDERS_OF = """
query OrdersOf($id: ID!, $limit: Int!) {
  customer(id: $id) {
    orders(first: $limit, sortKey: PROCESSED_AT, reverse: true) { nodes { id } }
  }
}
"""

RETURNABLE = """
query Returnable($id: ID!, $after: String) {
  returnableFulfillments(orderId: $id, first: 8, after: $after) {
    nodes {
      returnableFulfillmentLineItems(first: 25) {
        nodes { quantity fulfillmentLineItem { id lineItem { id } } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
REASONS = """
query Reasons($handles: [String!]!) {
  returnReasonDefinitions(first: 50, handles: $handles) { nodes { id handle deleted } }
}
"""
VARIANTS = """
query Variants($id: ID!) {
  node(id: $id) {
    ... on LineItem {
      product { variants(first: 250) { nodes { id title availableForSale } } }
    }
  }
}
"""
JOB = """
query Job($id: ID!) { job(id: $id) { id done } }
"""
VOUCHER = """
query Voucher($code: String!) { codeDiscountNodeByCode(code: $code) { id } }
"""

READ_MARK = """
query ReadMark($namespace: String!, $key: String!) {
  currentAppInstallation {
    id
    metafield(namespace: $namespace, key: $key) { value compareDigest }
  }
}
"""
OLD_MARKS = """
query OldMarks($namespace: String!, $after: String) {
  currentAppInstallation {
    id
    metafields(namespace: $namespace, first: 100, after: $after) {
      nodes { key updatedAt }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""

EVERY = (
    FACTS,
    FIND_ORDER,
    ORDER,
    MORE_PARCELS,
    *REST.values(),
    CUSTOMER,
    FIND_CUSTOMER,
    ORDERS_OF,
    RETURNABLE,
    REASONS,
    VARIANTS,
    JOB,
    VOUCHER,
    READ_MARK,
    OLD_MARKS,
)
