"""One member of a consumer group: claims, fence, halts, and the loop around them."""
