.id |= tostring
