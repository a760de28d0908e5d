reduce range(600) as $i (.; {inner: .})
