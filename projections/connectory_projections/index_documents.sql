-- name: newest
SELECT document
FROM index_documents
WHERE index_name = $1
ORDER BY at DESC, document_id DESC
LIMIT $2
